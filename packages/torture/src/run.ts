import { performance } from 'node:perf_hooks'
import { NotRun, type Outcome } from './harness.ts'
import type { PlannedRun } from './plan.ts'
import type { Progress } from './progress.ts'
import { seededRandom } from './random.ts'

/** What one run says, as it is printed. Further keys are figures of the harness. */
export interface Line extends Record<string, number | string> {
  readonly name: string
  readonly variant: string
  readonly backend: string
  readonly tried: number
  readonly bad: number
  readonly seed: number
  readonly seconds: number
}

export interface RunOptions {
  readonly seed: number
  /** Default: as many as the harness makes; under a budget, as many as it holds. */
  readonly tries?: number | undefined
  /** Seconds after which the run ends, with what was begun. */
  readonly budget?: number | undefined
  readonly progress: Progress
  /** Told of each violation as it is found. */
  readonly report: (what: string) => void
}

/** Makes one run and gives its line. A harness that breaks counts as bad; one that cannot run says so in `notRun`. */
export async function makeRun(planned: PlannedRun, { seed, tries, budget, progress, report }: RunOptions): Promise<Line> {
  const { harness, variant, backend } = planned
  const began = performance.now()
  const elapsed = () => (performance.now() - began) / 1_000
  const limit = tries ?? (budget === undefined ? harness.tries : Number.MAX_SAFE_INTEGER)
  let bad = 0
  const count = (what: string) => {
    bad += 1
    report(what)
  }

  function line({ tried, measured }: Outcome, notRun?: string): Line {
    const seconds = Math.round(elapsed() * 10) / 10
    return { name: harness.name, variant, backend, tried, bad, seed, seconds, ...measured, ...(notRun === undefined ? {} : { notRun }) }
  }

  if (planned.notRun !== undefined) return line({ tried: 0 }, planned.notRun)
  const shown = progress.begin(`${harness.name} ${variant} ${backend}`, tries ?? (budget === undefined ? harness.tries : undefined))
  try {
    const outcome = await harness.run({
      backend,
      variant,
      seed,
      random: seededRandom(seed),
      tries: limit,
      isOver: () => budget !== undefined && elapsed() >= budget,
      progress: shown.update,
      bad: count,
    })
    // Nothing tried and nothing found would otherwise look like passed.
    return line(outcome, outcome.tried === 0 && bad === 0 ? 'the budget was used up before the first try' : undefined)
  } catch (error) {
    if (error instanceof NotRun) return line({ tried: 0 }, error.message)
    count(`the harness broke: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
    return line({ tried: 0 })
  } finally {
    shown.end()
  }
}
