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
      readonly recordBytes?: number
    }
  | { readonly figure: 'loop delay p99 ms' | 'loop delay max ms'; readonly perSecond: number; readonly sessions: number }
  | { readonly figure: 'cleaning ms' | 'cleaning loop max ms'; readonly expired: number; readonly sessions: number }
  /** Of the other callers: how many times as long as before. */
  | { readonly figure: 'p99 × while cleaning'; readonly inFlight: number; readonly expired: number; readonly sessions: number }
  | { readonly figure: 'open ms' | 'bytes a dormant session'; readonly sessions: number }
  /** Of the filling process, whatever it measured afterwards. */
  | { readonly figure: 'resident bytes a session'; readonly sessions: number }

/** The same with another number in flight, where it has one. */
export function withInFlight(measure: Measure, inFlight: number | undefined): Measure {
  return inFlight !== undefined && 'op' in measure ? { ...measure, inFlight } : measure
}

/** What the run says; `undefined`: it did not measure that. */
function readingOf(run: Run, measure: Measure): number | undefined {
  const { job, result } = run
  if (job.sessions !== measure.sessions || job.recordBytes !== recordBytesOf(measure)) return undefined
  switch (measure.figure) {
    case 'resident bytes a session':
      return job.load.kind === 'closed' ? result.residentBytesPerSession : undefined
    case 'bytes a dormant session':
      return job.load.kind === 'opening' ? result.residentBytesPerSession : undefined
    case 'open ms':
      return result.opening?.openMs
    case 'cleaning ms':
    case 'cleaning loop max ms':
    case 'p99 × while cleaning':
      return cleaningOf(run, measure)
    case 'loop delay p99 ms':
    case 'loop delay max ms': {
      if (job.load.kind !== 'rate' || job.load.perSecond !== measure.perSecond) return undefined
      return measure.figure === 'loop delay max ms' ? result.rate?.loopMaxMs : result.rate?.loopP99Ms
    }
    default: {
      if (job.load.kind !== 'closed' || job.load.macrotask !== (measure.macrotask ?? false)) return undefined
      const cell = result.cells?.find(({ op, inFlight }) => op === measure.op && inFlight === measure.inFlight)
      return cell?.[fields[measure.figure]]
    }
  }
}

function recordBytesOf(measure: Measure): number | undefined {
  return 'op' in measure ? measure.recordBytes : undefined
}

type CleaningMeasure = Extract<Measure, { readonly expired: number }>

function cleaningOf({ job: { load }, result: { cleaning } }: Run, measure: CleaningMeasure): number | undefined {
  const inFlight = measure.figure === 'p99 × while cleaning' ? measure.inFlight : 0
  if (load.kind !== 'cleaning' || load.expired !== measure.expired || load.inFlight !== inFlight) return undefined
  if (measure.figure === 'cleaning ms') return cleaning?.cleaningMs
  if (measure.figure === 'cleaning loop max ms') return cleaning?.loopMaxMs
  const { p99BeforeUs, p99MeanwhileUs } = cleaning ?? {}
  return p99BeforeUs === undefined || p99MeanwhileUs === undefined ? undefined : p99MeanwhileUs / p99BeforeUs
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
