import { setImmediate as nextTurn } from 'node:timers/promises'
import { type Latencies, latenciesOf } from './latencies.ts'
import { type LoopDelay, withLoopDelay } from './loop-delay.ts'
import type { Step } from './steps.ts'

export interface OpenLoopOptions {
  readonly perSecond: number
  readonly seconds: number
}

/** What came of it. Latencies count from the instant at which a call was due, so that a stall counts for all whom it held up. */
export interface OpenLoopMeasured extends Latencies, LoopDelay {
  readonly calls: number
  /** Calls that did not find their session. */
  readonly missed: number
}

const maxWaiting = 100_000

/** Begins calls at a fixed rate, whether earlier ones are answered or not. Rejects when one fails, and when they pile up. */
export async function openLoop(step: Step, { perSecond, seconds }: OpenLoopOptions): Promise<OpenLoopMeasured> {
  const total = Math.max(1, Math.round(perSecond * seconds))
  const durations: number[] = []
  const failures: unknown[] = []
  const running = new Set<Promise<void>>()
  let missed = 0

  async function call(dueAt: number): Promise<void> {
    try {
      if (!(await step())) missed += 1
      durations.push(performance.now() - dueAt)
    } catch (error) {
      failures.push(error)
    }
  }

  const { delay } = await withLoopDelay(async () => {
    const beganAt = performance.now()
    for (let begun = 0; begun < total && failures.length === 0; ) {
      const due = Math.min(total, 1 + Math.floor(((performance.now() - beganAt) * perSecond) / 1_000))
      for (; begun < due; begun += 1) {
        const asked = call(beganAt + (begun * 1_000) / perSecond)
        running.add(asked)
        void asked.then(() => running.delete(asked))
      }
      if (running.size > maxWaiting) throw new Error(`${maxWaiting} calls wait: ${perSecond} a second is more than the store bears`)
      await nextTurn()
    }
    await Promise.all(running)
  })
  if (failures.length > 0) throw failures[0]
  return { calls: durations.length, missed, ...latenciesOf(durations), ...delay }
}
