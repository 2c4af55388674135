import { channel } from 'node:diagnostics_channel'
import { SessionError, type SessionErrorCode } from './errors.ts'
import { type Histogram, histogram } from './histogram.ts'
import type { Metrics } from './metrics.ts'

export type Counter =
  | 'created'
  | 'hits'
  | 'misses'
  | 'updated'
  | 'conflicts'
  | 'retries'
  | 'deleted'
  | 'expired'
  | 'touches'
  | 'touchesSkipped'

/** Counts what a store does, and tells `node:diagnostics_channel`; neither ever sees an id or a value. */
export interface Meter {
  add(counter: Counter, by?: number): void
  /** Runs one method of the session API: its latency, and the code of what it rejects with. `onEnd` runs as it settles. */
  measure<T>(operation: string, run: () => Promise<T>, onEnd?: () => void): Promise<T>
  metrics(): Metrics
}

/**
 * Channels: `mcp-session:operation` { backend, kind, operation, durationMs, code? } for every method, and
 * `mcp-session:<counter>` { backend, kind, by } for every counter of `metrics()` that the store itself counts.
 */
export function meter(labels: { readonly backend: string; readonly kind: string }, evicted: () => number): Meter {
  const operations = channel('mcp-session:operation')
  const counters: Record<Counter, number> = {
    created: 0,
    hits: 0,
    misses: 0,
    updated: 0,
    conflicts: 0,
    retries: 0,
    deleted: 0,
    expired: 0,
    touches: 0,
    touchesSkipped: 0,
  }
  const channels = Object.fromEntries(Object.keys(counters).map((name) => [name, channel(`mcp-session:${name}`)]))
  const latency = new Map<string, Histogram>()
  const errors: Partial<Record<SessionErrorCode, number>> = {}

  function add(counter: Counter, by = 1): void {
    counters[counter] += by
    const told = channels[counter]
    if (told?.hasSubscribers) told.publish({ ...labels, by })
  }

  async function measure<T>(operation: string, run: () => Promise<T>, onEnd?: () => void): Promise<T> {
    const startedAt = performance.now()
    let code: SessionErrorCode | undefined
    try {
      return await run()
    } catch (error) {
      if (SessionError.is(error)) {
        code = error.code
        errors[code] = (errors[code] ?? 0) + 1
      }
      throw error
    } finally {
      onEnd?.()
      const durationMs = performance.now() - startedAt
      histogramOf(operation).record(durationMs)
      if (operations.hasSubscribers) operations.publish({ ...labels, operation, durationMs, ...(code === undefined ? {} : { code }) })
    }
  }

  function histogramOf(operation: string): Histogram {
    const known = latency.get(operation)
    if (known !== undefined) return known
    const made = histogram()
    latency.set(operation, made)
    return made
  }

  function metrics(): Metrics {
    const gone = evicted()
    return {
      ...counters,
      hitRate: ratio(counters.hits, counters.hits + counters.misses),
      evicted: gone,
      evictionRate: ratio(gone, counters.created),
      errors: { ...errors },
      latency: Object.fromEntries([...latency].map(([operation, recorded]) => [operation, recorded.summary()])),
    }
  }

  return { add, measure, metrics }
}

function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole
}
