import { channel } from 'node:diagnostics_channel'
import { SessionError, type SessionErrorCode } from './errors.ts'
import { type Histogram, histogram } from './histogram.ts'
import type { Metrics } from './metrics.ts'
import { promised } from './promised.ts'

const counterNames = [
  'created',
  'hits',
  'misses',
  'updated',
  'conflicts',
  'retries',
  'deleted',
  'expired',
  'touches',
  'touchesSkipped',
] as const

export type Counter = (typeof counterNames)[number]

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
  const counters = Object.fromEntries(counterNames.map((name) => [name, 0])) as Record<Counter, number>
  const channels = Object.fromEntries(counterNames.map((name) => [name, channel(`mcp-session:${name}`)]))
  const latency = new Map<string, Histogram>()
  const errors: Partial<Record<SessionErrorCode, number>> = {}

  function add(counter: Counter, by = 1): void {
    counters[counter] += by
    const told = channels[counter]
    if (told?.hasSubscribers) told.publish({ ...labels, by })
  }

  function measure<T>(operation: string, run: () => Promise<T>, onEnd?: () => void): Promise<T> {
    const startedAt = performance.now()
    const ended = (code?: SessionErrorCode) => {
      onEnd?.()
      const durationMs = performance.now() - startedAt
      histogramOf(operation).record(durationMs)
      if (operations.hasSubscribers) operations.publish({ ...labels, operation, durationMs, ...(code && { code }) })
    }
    const failed = (error: unknown): never => {
      const code = SessionError.is(error) ? error.code : undefined
      if (code !== undefined) errors[code] = (errors[code] ?? 0) + 1
      ended(code)
      throw error
    }
    return promised(run).then((value) => {
      ended()
      return value
    }, failed)
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
