import { type HealthWarning, SessionError } from '@mcp-session/core/backend'
import type { MemorySettings } from './options.ts'
import type { Records } from './records.ts'

/** Keeps the table within `maxSessions`. */
export interface Capacity {
  /** Room for one more record: an expired one goes first, else what `whenFull` says. `MCP_SESSION_LIMIT` where nothing may go. */
  makeRoom(now: number): void
  /** Live records removed to make room, since the backend was made. */
  evicted(): number
  warnings(): readonly HealthWarning[]
}

export function capacity(settings: MemorySettings, records: Records): Capacity {
  const { maxSessions, whenFull } = settings
  let evicted = 0

  function makeRoom(now: number): void {
    if (records.size() < maxSessions) return
    if (records.removeExpired(now, 1, Number.POSITIVE_INFINITY).removed > 0) return
    const longestIdle = whenFull === 'evict' ? records.longestIdle() : undefined
    if (longestIdle === undefined) throw full(maxSessions)
    records.remove(longestIdle)
    evicted += 1
  }

  function warnings(): readonly HealthWarning[] {
    if (records.size() < maxSessions) return []
    const effect = whenFull === 'evict' ? 'new sessions push out the longest idle ones' : 'new sessions are refused unless one has expired'
    return [{ code: 'memory-full', message: `memory holds maxSessions (${maxSessions}) records: ${effect}` }]
  }

  return { makeRoom, evicted: () => evicted, warnings }
}

function full(maxSessions: number): SessionError {
  return new SessionError(
    'MCP_SESSION_LIMIT',
    `memory holds maxSessions (${maxSessions}) live sessions: raise maxSessions, shorten ttlMs, or set whenFull to 'evict'`,
    { retryable: true },
  )
}
