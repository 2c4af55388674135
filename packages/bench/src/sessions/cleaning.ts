import { closedLoop } from './closed-loop.ts'
import type { MeasuredCleaning } from './job.ts'
import { withLoopDelay } from './loop-delay.ts'
import { fill } from './population.ts'
import type { Step } from './steps.ts'
import type { Store } from './store.ts'

export interface CleaningOptions {
  readonly expired: number
  readonly inFlight: number
  /** How long the other callers are watched before. */
  readonly seconds: number
  readonly warmUpSeconds: number
}

/** Deletes expired sessions, alone or while others call. A store that does not delete just those fails. */
export async function measureCleaning(store: Store, step: Step, options: CleaningOptions): Promise<MeasuredCleaning> {
  const { expired } = options
  const { createExpired, cleanup } = store
  if (createExpired === undefined || cleanup === undefined) throw new TypeError('This store is not asked to clean up')
  await fill(expired, createExpired)
  const before = await callers(step, options)
  let isDone = false
  async function clean() {
    const beganAt = performance.now()
    const { result, delay } = await withLoopDelay(cleanup as () => Promise<number>)
    isDone = true
    return { deleted: result, cleaningMs: performance.now() - beganAt, ...delay }
  }
  const [cleaned, meanwhile] = await Promise.all([clean(), callers(step, options, () => isDone)])
  if (cleaned.deleted !== expired) throw new Error(`${cleaned.deleted} sessions were deleted; ${expired} had expired`)
  if (before === undefined || meanwhile === undefined) return cleaned
  return { ...cleaned, p99BeforeUs: before.p99Us, p99MeanwhileUs: meanwhile.p99Us }
}

/** For the given time, or until something is done; each call in a turn of its own, as a server's are. */
async function callers(step: Step, { inFlight, seconds, warmUpSeconds }: CleaningOptions, isDone?: () => boolean) {
  if (inFlight === 0) return undefined
  const loop = { inFlight, macrotask: true, timeOneIn: 1 }
  if (isDone !== undefined) return closedLoop(() => (isDone() ? undefined : step()), { ...loop, seconds: Number.POSITIVE_INFINITY })
  await closedLoop(step, { ...loop, seconds: warmUpSeconds })
  return closedLoop(step, { ...loop, seconds })
}
