import type { Call, EventLog } from '@mcp-session/core/backend'
import type { Records } from './records.ts'
import { sessionLog } from './session-log.ts'

/** The event log of all sessions: each entry holds its own, so that it goes with it. `admit` rejects a call that must not run. */
export function eventLog(records: Records, admit: (call: Call) => void): EventLog {
  return {
    async append(sessionId, event, retention, call) {
      admit(call)
      const entry = records.live(sessionId, call.now)
      if (entry === undefined) return undefined
      entry.log ??= sessionLog()
      return entry.log.append(event, retention, call.now)
    },

    async read(sessionId, query, call) {
      admit(call)
      const entry = records.live(sessionId, call.now)
      if (entry === undefined) return undefined
      return entry.log?.read(query, call.now) ?? { events: [], last: 0, trimmed: query.after > 0 }
    },

    async restore(sessionId, page, call) {
      admit(call)
      const entry = records.live(sessionId, call.now)
      if (entry === undefined) return false
      entry.log ??= sessionLog()
      entry.log.restore(page)
      return true
    },
  }
}
