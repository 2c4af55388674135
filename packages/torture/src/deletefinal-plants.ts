import type { Bug } from './planted-backend.ts'

/** Bugs of a backend that the harness `deletefinal` must find. */
export const deletefinalBugs: Readonly<Record<string, Bug>> = {
  /** A replace whose record has gone writes it anew. */
  inserts: (backend) => ({
    async replace(record, expectedRev, call) {
      const result = await backend.replace(record, expectedRev, call)
      if (result.replaced || result.current !== undefined) return result
      return (await backend.create(record, call)) ? { replaced: true } : result
    },
  }),
  /** Deletes what it has read, without looking again: a change in between keeps the session. */
  'reads-first': (backend) => ({
    async delete(id, expectedRev, call) {
      const record = await backend.get(id, call)
      if (record === undefined || (expectedRev !== undefined && record.rev !== expectedRev)) return false
      await backend.delete(id, record.rev, call)
      return true
    },
  }),
  /** Ends a session by its deadline: nobody finds it, and everything of it is still there. */
  expires: (backend) => ({
    async delete(id, expectedRev, call) {
      for (;;) {
        const record = await backend.get(id, call)
        if (record === undefined || (expectedRev !== undefined && record.rev !== expectedRev)) return false
        const ended = { ...record, rev: `${record.rev}!`, prevRev: record.rev, expiresAt: call.now - 1 }
        if ((await backend.replace(ended, record.rev, call)).replaced) return true
      }
    },
  }),
  /** Everybody who asks is told that it was there. */
  'always-there': (backend) => ({
    async delete(id, expectedRev, call) {
      await backend.delete(id, expectedRev, call)
      return true
    },
  }),
}
