import type { LawId } from './laws.ts'
import type { StoreLawId } from './store-laws.ts'
import type { Trial } from './trial.ts'

/**
 * What a case needs beyond records. `shared`: two backend objects can have one store open at once. `durable`: the store
 * outlives its backend object. `engine-clock`: the engine has a clock of its own.
 */
export type Requirement =
  | 'borrow'
  | 'crash'
  | 'durable'
  | 'engine-clock'
  | 'errors'
  | 'events'
  | 'events and signals'
  | 'reopen'
  | 'second-process'
  | 'shared'
  | 'shared-by-processes'
  | 'signals'

/** One observable behaviour that a law demands, as data. */
export interface Case {
  /** `<group>/<what is observed>`: stable, cited by reports and by lists of expected failures. */
  readonly id: string
  /** The laws that are broken when this case fails. */
  readonly law: LawId | StoreLawId | readonly (LawId | StoreLawId)[]
  readonly requires?: readonly Requirement[]
  /** Milliseconds after which a case that has not ended fails; default 30,000. */
  readonly boundMs?: number
  /** Throws (an `AssertionError`, as a rule) where the law does not hold. */
  run(t: Trial): Promise<void>
}

/** The laws that a case cites. */
export function lawsOf(subject: Pick<Case, 'law'>): readonly (LawId | StoreLawId)[] {
  return typeof subject.law === 'string' ? [subject.law] : subject.law
}
