/** What the suite says of one check. `WARNING`: a SHOULD of the specification is not met. */
export type Status = 'SUCCESS' | 'FAILURE' | 'WARNING' | 'INFO' | 'SKIPPED'

export interface Check {
  readonly id: string
  readonly status: Status
  readonly errorMessage?: string | undefined
}

/** One run of the suite: one revision of the specification, one target. */
export interface Outcome {
  readonly revision: string
  readonly target: string
  /** By scenario. A scenario without checks did not run, or crashed. */
  readonly checks: ReadonlyMap<string, readonly Check[]>
  /** Of the suite's process; `null`: it was killed. */
  readonly exitCode: number | null
  /** HTTP requests that each node of the target was given, where a load balancer counts them. */
  readonly requests: readonly number[]
}

/** A SHOULD that is not met counts as failed, as the suite's own baseline has it. */
export type Verdict = 'passed' | 'failed'

/** What became of each check, by its id. Of several with one id the worst counts; what says neither yes nor no is left out. */
export function verdicts(checks: readonly Check[]): ReadonlyMap<string, Verdict> {
  const found = new Map<string, Verdict>()
  for (const { id, status } of checks) {
    if (hasFailed(status)) found.set(id, 'failed')
    else if (status === 'SUCCESS' && !found.has(id)) found.set(id, 'passed')
  }
  return found
}

/** How many checks of a scenario passed and failed, as the suite counts them. */
export function score(checks: readonly Check[]): { readonly passed: number; readonly failed: number } {
  return {
    passed: checks.filter(({ status }) => status === 'SUCCESS').length,
    failed: checks.filter(({ status }) => hasFailed(status)).length,
  }
}

function hasFailed(status: Status): boolean {
  return status === 'FAILURE' || status === 'WARNING'
}
