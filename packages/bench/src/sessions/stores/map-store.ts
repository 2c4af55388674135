import { randomUUID } from 'node:crypto'
import { type PeerRecord, recordOf, touched, updated } from '../record.ts'
import type { Store } from '../store.ts'

/** What any store in memory at least costs: a Map, by reference, behind async functions. Callers can corrupt it. */
export function mapStore(): Store {
  const records = new Map<string, PeerRecord>()

  async function change(id: string, next: (record: PeerRecord) => PeerRecord): Promise<boolean> {
    const record = records.get(id)
    if (record === undefined) return false
    records.set(id, next(record))
    return true
  }

  return {
    async create(n) {
      const id = randomUUID()
      records.set(id, recordOf(id, n))
      return id
    },
    retrieve: async (id) => records.get(id),
    touch: (id) => change(id, touched),
    update: (id) => change(id, updated),
    delete: async (id) => records.delete(id),
    count: async () => records.size,
    async close() {},
  }
}
