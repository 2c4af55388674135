import type { Harness, Outcome } from '../src/harness.ts'
import { seededRandom } from '../src/random.ts'

export interface Tried extends Outcome {
  /** The violations that were found. */
  readonly bad: readonly string[]
}

export interface TryOptions {
  readonly backend?: string
  readonly variant?: string
  readonly tries: number
  readonly seed?: number
}

/** Runs a harness within this process, as the command line would. */
export async function tryHarness(
  harness: Harness,
  { backend = harness.backends[0] ?? '', variant = harness.variants[0] ?? '', tries, seed = 7 }: TryOptions,
): Promise<Tried> {
  const bad: string[] = []
  const outcome = await harness.run({
    backend,
    variant,
    seed,
    random: seededRandom(seed),
    tries,
    isOver: () => false,
    progress() {},
    bad: (what) => bad.push(what),
  })
  return { ...outcome, bad }
}
