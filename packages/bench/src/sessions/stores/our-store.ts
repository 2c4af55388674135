import { openSessions } from '@mcp-session/core'
import type { SessionBackend } from '@mcp-session/core/backend'
import { type Content, contentOf, counted, ttlMs } from '../record.ts'
import type { SizedContent } from '../record-size.ts'
import type { Store } from '../store.ts'

/** The whole public session API on a backend: what an application would call. */
export async function ourStore(backend: SessionBackend, discard: () => Promise<void> = async () => {}): Promise<Store> {
  const sessions = await openSessions<Content | SizedContent>({ backend, ttlMs, cleanupIntervalMs: 0, cacheBytes: 64 * 1024 * 1024 })
  return {
    create: async (n) => (await sessions.create(contentOf(n))).id,
    createOf: async (content) => (await sessions.create(content)).id,
    retrieve: (id) => sessions.retrieve(id),
    touch: (id) => sessions.touch(id),
    update: (id) => sessions.update(id, counted),
    delete: (id) => sessions.delete(id),
    createExpired: (n) => sessions.create(contentOf(n), { ttlMs: 0 }),
    cleanup: () => sessions.cleanupExpired(),
    count: () => sessions.count(),
    async close() {
      await sessions.close()
      await discard()
    },
  }
}
