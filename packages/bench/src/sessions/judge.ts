import { type Spread, spreadOf } from '../spread.ts'
import type { Gate } from './gates.ts'
import { compared, readings, withInFlight } from './measures.ts'
import type { Failure, Run } from './rounds.ts'

/**
 * `holds`: the median is at the bar or better. `within the noise`: it is not, but in a quarter of the rounds the figure was.
 * `not run` is no verdict on the figure: a gate that was not measured has not passed.
 */
export type Verdict = 'holds' | 'within the noise' | 'falls short' | 'not run'

export interface Judged {
  readonly gate: Gate
  readonly verdict: Verdict
  /** Over the rounds; absent: not run. */
  readonly spread?: Spread
  /** Why it was not run. */
  readonly reason?: string
}

export interface Evidence {
  readonly runs: readonly Run[]
  readonly failures: readonly Failure[]
  /** Every contestant there is. */
  readonly known: readonly string[]
}

/** The reason of a gate whose figures were not to be measured. */
export const notAsked = 'not asked for'

export function judge(gate: Gate, evidence: Evidence): Judged {
  const values = valuesOf(gate, evidence.runs)
  if (values.length === 0) return { gate, verdict: 'not run', reason: reasonOf(gate, evidence) }
  const spread = spreadOf(values)
  if (meets(gate, spread.median)) return { gate, verdict: 'holds', spread }
  return { gate, verdict: meets(gate, betterQuartile(gate, values)) ? 'within the noise' : 'falls short', spread }
}

/** Whether a check succeeds: something was judged, and nothing fell short. */
export function passes(judged: readonly Judged[]): boolean {
  return judgesAny(judged) && judged.every(({ verdict }) => verdict !== 'falls short')
}

export function judgesAny(judged: readonly Judged[]): boolean {
  return judged.some(({ verdict }) => verdict !== 'not run')
}

/** One value for each round that has all that is needed for it. */
function valuesOf({ who, measure, beside }: Gate, runs: readonly Run[]): number[] {
  const own = readings(runs, who, measure)
  if (beside === undefined) return [...own.values()]
  const theirs = readings(runs, beside.who, withInFlight(measure, beside.inFlight))
  return compared(own, theirs, beside.by === 'ratio' ? (a, b) => a / b : (a, b) => a - b)
}

function meets({ bar }: Gate, value: number): boolean {
  return 'atLeast' in bar ? value >= bar.atLeast : value <= bar.atMost
}

/** The value that a quarter of the rounds reached, in the direction of the bar. */
function betterQuartile({ bar }: Gate, values: readonly number[]): number {
  const bestFirst = values.toSorted((a, b) => ('atLeast' in bar ? b - a : a - b))
  return bestFirst[Math.ceil(bestFirst.length / 4) - 1] ?? Number.NaN
}

function reasonOf({ who, beside }: Gate, { failures, known }: Evidence): string {
  const needed = beside === undefined ? [who] : [who, beside.who]
  const unknown = needed.find((name) => !known.includes(name))
  if (unknown !== undefined) return `there is no ${unknown} yet`
  const failure = failures.find(({ job }) => needed.includes(job.contestant))
  return failure === undefined ? notAsked : `${failure.job.contestant}: ${failure.reason.split('\n')[0]}`
}
