import type { Call } from './backend.ts'
import type { Calls } from './calls.ts'
import { running } from './running.ts'

/** Puts the changes of one id in a queue, within this process: they would only make each other lose the race. */
export interface Turns {
  /**
   * Runs `step` after those queued for the id before it, unless that is not before the call's deadline or its abort: then it never runs,
   * and the queue goes on. `OVERLOADED` where as many wait as may be in flight.
   */
  inTurn<T>(id: string, call: Call, step: () => Promise<T>): Promise<T>
}

export function turns({ overload, wait }: Pick<Calls, 'overload' | 'wait'>): Turns {
  const tails = new Map<string, Promise<unknown>>()
  const waiting = running()

  function inTurn<T>(id: string, call: Call, step: () => Promise<T>): Promise<T> {
    const before = tails.get(id)
    const refusal = before && overload(waiting.count)
    if (refusal) return Promise.reject(refusal)
    const result = before === undefined ? step() : arrive(call, before).then(step)
    const done = () => {
      if (tails.get(id) === tail) tails.delete(id)
    }
    const tail: Promise<unknown> = before === undefined ? result.then(done, done) : Promise.all([before, result.catch(() => {})]).then(done)
    tails.set(id, tail)
    return result
  }

  function arrive(call: Call, others: Promise<unknown>): Promise<void> {
    waiting.enter()
    return wait(call, others).finally(waiting.leave)
  }

  return { inTurn }
}
