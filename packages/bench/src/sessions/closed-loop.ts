import { setImmediate as nextTurn } from 'node:timers/promises'
import { type Latencies, latenciesOf } from './latencies.ts'
import type { Step } from './steps.ts'

export interface ClosedLoopOptions {
  /** Callers, each of which asks again as soon as it is answered. */
  readonly inFlight: number
  readonly seconds: number
  /** It goes on until there were so many, but not for more than five times as long: V8 compiles by calls, not by time. */
  readonly leastCalls?: number
  /** Each request in a turn of the event loop of its own, as a server has it; else as fast as promises settle. */
  readonly macrotask: boolean
  /** One call in so many is timed: where calls take less than a microsecond, the clock would be what is measured. */
  readonly timeOneIn: number
}

/** What came of it. Every call that was begun has been awaited, and is counted. */
export interface Measured extends Latencies {
  readonly calls: number
  /** Calls that did not find their session. */
  readonly missed: number
  readonly seconds: number
  readonly opsPerSecond: number
  /** Processor time of this process for one call, in microseconds, its other threads included. */
  readonly cpuUs: number
}

/** Asks until the time is over or nothing is left. `undefined`: not one call was timed. */
export async function closedLoop(step: Step, options: ClosedLoopOptions): Promise<Measured | undefined> {
  const { inFlight, macrotask, timeOneIn, leastCalls = 0 } = options
  const durations: number[] = []
  let begun = 0
  let calls = 0
  let missed = 0
  let over = false
  const cpuBefore = process.cpuUsage()
  const beganAt = performance.now()
  const until = beganAt + options.seconds * 1_000
  const atLatest = beganAt + options.seconds * 5_000

  async function caller(): Promise<void> {
    while (!over) {
      const isTimed = begun % timeOneIn === 0
      begun += 1
      const startedAt = isTimed ? performance.now() : 0
      const asked = step()
      if (asked === undefined) break
      const answer = await asked
      calls += 1
      if (!answer) missed += 1
      if (isTimed) {
        const endedAt = performance.now()
        durations.push(endedAt - startedAt)
        if (endedAt >= atLatest || (endedAt >= until && calls >= leastCalls)) over = true
      }
      if (macrotask) await nextTurn()
    }
  }

  await Promise.all(Array.from({ length: inFlight }, caller))
  const seconds = (performance.now() - beganAt) / 1_000
  const { user, system } = process.cpuUsage(cpuBefore)
  if (durations.length === 0) return undefined
  return { calls, missed, seconds, opsPerSecond: calls / seconds, cpuUs: (user + system) / calls, ...latenciesOf(durations) }
}
