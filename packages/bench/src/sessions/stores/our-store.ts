import { openSessions } from '@mcp-session/core'
import type { SessionBackend } from '@mcp-session/core/backend'
import { type Content, contentOf, counted, ttlMs } from '../record.ts'
import type { Store } from '../store.ts'

/** The whole public session API on a backend: what an application would call. */
export async function ourStore(backend: SessionBackend, discard: () => Promise<void> = async () => {}): Promise<Store> {
  const sessions = await openSessions<Content>({ backend, ttlMs, cleanupIntervalMs: 0, cacheBytes: 64 * 1024 * 1024 })
  return {
    create: async (n) => (await sessions.create(contentOf(n))).id,
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
