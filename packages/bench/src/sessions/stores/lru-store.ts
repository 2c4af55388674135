import { randomUUID } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { type PeerRecord, recordOf, touched, ttlMs, updated } from '../record.ts'
import type { Store } from '../store.ts'

/** lru-cache, with a structured clone each way: so that a caller cannot corrupt what is kept. */
export function lruStore(): Store {
  const cache = new LRUCache<string, PeerRecord>({ max: 250_000, ttl: ttlMs })

  function get(id: string): PeerRecord | undefined {
    const kept = cache.get(id)
    return kept === undefined ? undefined : structuredClone(kept)
  }

  async function change(id: string, next: (record: PeerRecord) => PeerRecord): Promise<boolean> {
    const record = get(id)
    if (record === undefined) return false
    cache.set(id, structuredClone(next(record)))
    return true
  }

  return {
    async create(n) {
      const id = randomUUID()
      cache.set(id, structuredClone(recordOf(id, n)))
      return id
    },
    retrieve: async (id) => get(id),
    touch: (id) => change(id, touched),
    update: (id) => change(id, updated),
    delete: async (id) => cache.delete(id),
    count: async () => cache.size,
    async close() {},
  }
}
