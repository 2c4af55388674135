import { type Case, lawsOf } from './case.ts'
import type { Harness } from './harness.ts'
import { type LawId, laws } from './laws.ts'
import { seedFor } from './random.ts'
import { type StoreLawId, storeLaws } from './store-laws.ts'
import { openTrial } from './trial.ts'

/** A case that failed: everything that is needed to understand it and to see it again. */
export interface Failure {
  readonly id: string
  readonly laws: readonly string[]
  /** Seed of the run. */
  readonly seed: number
  readonly error: unknown
  /** The newest calls before the failure. */
  readonly history: readonly string[]
}

/** Runs one case on a store of its own. `undefined`: the laws held. */
export async function runCase(subject: Case, harness: Harness, seed: number): Promise<Failure | undefined> {
  const failure = (error: unknown, history: readonly string[]): Failure => ({ id: subject.id, laws: lawsOf(subject), seed, error, history })
  const boundMs = subject.boundMs ?? 30_000
  try {
    const { trial, end } = await openTrial(harness, seedFor(seed, subject.id), boundMs)
    let failed: Failure | undefined
    try {
      await within(boundMs, subject.run(trial))
    } catch (error) {
      failed = failure(error, trial.history.lines())
    }
    try {
      await within(boundMs, end())
    } catch (error) {
      failed ??= failure(error, trial.history.lines())
    }
    return failed
  } catch (error) {
    return failure(error, [])
  }
}

/** The failure as an error for a test runner: the law in words, the history, the seed and how to see it again. */
export function failureMessage(failure: Failure): string {
  // A model-based case cites all that the model covers: its counterexample tells more than two dozen laws in full.
  const inFull = failure.laws.length <= 6
  return [
    ...reasons(failure.error),
    '',
    ...(inFull ? failure.laws.map((law) => `Law ${law}: ${textOf(law)}`) : [`One of the laws ${failure.laws.join(', ')}`]),
    '',
    ...(failure.history.length > 0 ? ['History (newest last):', ...failure.history.map((line) => `  ${line}`), ''] : []),
    `Seed ${failure.seed}. To see it again: CONFORMANCE_SEED=${failure.seed} CONFORMANCE_CASE=${failure.id} and the same test command.`,
  ].join('\n')
}

/** The messages of an error and of its causes: fast-check gives the counterexample, and the assertion as its cause. */
function reasons(error: unknown): string[] {
  if (!(error instanceof Error)) return [String(error)]
  return [error.message, ...(error.cause === undefined ? [] : reasons(error.cause))]
}

/** A law in words. */
function textOf(law: string): string {
  return laws[law as LawId] ?? storeLaws[law as StoreLawId] ?? 'unknown'
}

/** A case that never ends fails; its timer does not keep the process alive longer than the case does. */
async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${ms} ms: a call that does not settle, or a much too slow one`)), ms)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
