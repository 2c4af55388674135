import type { SessionRecord } from '@mcp-session/core/backend'
import type { Bug } from './planted-backend.ts'

/** Bugs of a backend that the harness `abort` must find. */
export const abortBugs: Readonly<Record<string, Bug>> = {
  /** The caller after an aborted one is given the reply that the aborted one waited for. */
  shifted(backend) {
    const left: (SessionRecord | undefined)[] = []
    return {
      async get(id, call) {
        const record = await backend.get(id, call)
        if (call.signal?.aborted === true) left.push(record)
        return left.length > 0 && call.signal?.aborted !== true ? left.shift() : record
      },
    }
  },
  /** An aborted write is told as done, and was not made. */
  'told-as-done': (backend) => ({
    async replace(record, expectedRev, call) {
      await undefined
      return call.signal !== undefined && Math.random() < 0.05 ? { replaced: true } : backend.replace(record, expectedRev, call)
    },
  }),
  /** Rejects with an error of its own. */
  'own-reason': (backend) => ({
    async touch(touch, call) {
      await undefined
      if (call.signal?.aborted === true) throw new Error('aborted')
      return backend.touch(touch, call)
    },
  }),
}
