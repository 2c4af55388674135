import type { SessionErrorCode } from './errors.ts'
import type { LatencySummary } from './histogram.ts'

/** Counters since the store was opened. Rates are between 0 and 1, and 0 where nothing was counted. */
export interface Metrics {
  readonly created: number
  /** Retrievals (and updates) that found a live session of the right kind and owner. */
  readonly hits: number
  readonly misses: number
  readonly hitRate: number
  readonly updated: number
  /** Compare-and-sets that lost a race and ran again. */
  readonly conflicts: number
  /** Writes that were sent again because their reply was lost. */
  readonly retries: number
  readonly deleted: number
  /** Deleted by sweeps of this store. */
  readonly expired: number
  /** Removed by the backend to make room. */
  readonly evicted: number
  /** evicted / created. */
  readonly evictionRate: number
  readonly touches: number
  /** Accesses that needed no write, being within the touch interval. */
  readonly touchesSkipped: number
  readonly errors: Readonly<Partial<Record<SessionErrorCode, number>>>
  /** Per method of the session API, in milliseconds. */
  readonly latency: Readonly<Record<string, LatencySummary>>
}
