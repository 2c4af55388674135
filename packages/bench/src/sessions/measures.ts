import type { Op } from './ops.ts'
import type { Run } from './rounds.ts'

/** What can be read off a run: with the same measure, runs can be compared. */
export type Measure =
  | {
      readonly figure: 'ops/s' | 'cpu µs' | 'p50 µs' | 'p95 µs' | 'p99 µs'
      readonly op: Op
      readonly inFlight: number
      readonly sessions: number
      readonly macrotask?: true
    }
  | { readonly figure: 'loop delay p99 ms' | 'loop delay max ms'; readonly perSecond: number; readonly sessions: number }
  | { readonly figure: 'resident bytes a session'; readonly sessions: number }

/** What the run says; `undefined`: it did not measure that. */
export function readingOf({ job, result }: Run, measure: Measure): number | undefined {
  if (job.sessions !== measure.sessions) return undefined
  switch (measure.figure) {
    case 'resident bytes a session':
      return result.residentBytesPerSession
    case 'loop delay p99 ms':
    case 'loop delay max ms': {
      if (job.load.kind !== 'rate' || job.load.perSecond !== measure.perSecond) return undefined
      return measure.figure === 'loop delay max ms' ? result.rate?.loopMaxMs : result.rate?.loopP99Ms
    }
    default: {
      if (job.load.kind !== 'closed' || job.load.macrotask !== (measure.macrotask ?? false)) return undefined
      const cell = result.cells.find(({ op, inFlight }) => op === measure.op && inFlight === measure.inFlight)
      return cell?.[fields[measure.figure]]
    }
  }
}

const fields = { 'ops/s': 'opsPerSecond', 'cpu µs': 'cpuUs', 'p50 µs': 'p50Us', 'p95 µs': 'p95Us', 'p99 µs': 'p99Us' } as const

/** By round: what a contestant reached. */
export function readings(runs: readonly Run[], contestant: string, measure: Measure): ReadonlyMap<number, number> {
  const found = new Map<number, number>()
  for (const run of runs) {
    const reading = run.job.contestant === contestant ? readingOf(run, measure) : undefined
    if (reading !== undefined) found.set(run.round, reading)
  }
  return found
}

/** Round by round, what two contestants make together; only rounds that have both. */
export function compared(
  ours: ReadonlyMap<number, number>,
  theirs: ReadonlyMap<number, number>,
  compare: (ours: number, theirs: number) => number,
): number[] {
  return [...ours].flatMap(([round, value]) => {
    const other = theirs.get(round)
    return other === undefined ? [] : [compare(value, other)]
  })
}
