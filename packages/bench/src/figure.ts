import type { Spread } from './spread.ts'

/** One line of a benchmark: over its rounds, and beside what it must not exceed. */
export interface Figure extends Spread {
  /** What was done. */
  readonly what: string
  /** By whom. */
  readonly who: string
  /** `times`: as long as the peer took in the same round. `ms`: milliseconds, or milliseconds more than the peer. */
  readonly unit: 'times' | 'ms'
  /** Absent: told for comparison only. */
  readonly bar?: number
}

/** Judged by the median. A figure without a bar holds. */
export function holds({ median, bar }: Figure): boolean {
  return bar === undefined || median <= bar
}
