import { SessionError, type SessionRecord } from '@mcp-session/core/backend'
import type { Bug } from './planted-backend.ts'

/** Bugs of a backend that the harness `lin` must find. */
export const linBugs: Readonly<Record<string, Bug>> = {
  /** Reads come from a cache that others do not clear. */
  stale(backend) {
    const cache = new Map<string, { readonly at: number; readonly record: SessionRecord }>()
    return {
      async get(id, call) {
        const kept = cache.get(id)
        if (kept !== undefined && call.now - kept.at < 20) return kept.record
        const record = await backend.get(id, call)
        if (record !== undefined) cache.set(id, { at: call.now, record })
        return record
      },
    }
  },
  /** Some writes are acknowledged and dropped. */
  drops(backend) {
    let count = 0
    return {
      async replace(record, expectedRev, call) {
        count += 1
        if (count % 8 > 0) return backend.replace(record, expectedRev, call)
        const current = await backend.get(record.id, call)
        return current?.rev === expectedRev ? { replaced: true } : { replaced: false, current }
      },
    }
  },
  /** Compares, and then sets whatever is there by then. */
  'check-then-set': (backend) => ({
    async replace(record, expectedRev, call) {
      let current = await backend.get(record.id, call)
      if (current?.rev !== expectedRev) return { replaced: false, current }
      for (;;) {
        const result = await backend.replace(record, current.rev, call)
        if (result.replaced || result.current === undefined) return result
        current = result.current
      }
    },
  }),
  /** A replace whose record has gone writes it anew. */
  inserts: (backend) => ({
    async replace(record, expectedRev, call) {
      const result = await backend.replace(record, expectedRev, call)
      if (result.replaced || result.current !== undefined) return result
      return (await backend.create(record, call)) ? { replaced: true } : result
    },
  }),
  /** Says of writes that are on their way that they were not made. */
  'says-none': (backend) => ({
    async create(record, call) {
      const written = backend.create(record, call)
      if (Math.random() > 0.1) return written
      await written
      throw new SessionError('MCP_SESSION_UNAVAILABLE', 'planted', { retryable: true, outcome: 'none' })
    },
  }),
  /** Throws what nobody can name. */
  untyped: (backend) => ({
    async touch(touch, call) {
      if (Math.random() < 0.01) throw new Error('planted')
      return backend.touch(touch, call)
    },
  }),
}
