/** Puts the changes of one id in a queue, within this process: they would only make each other lose the race. */
export interface Turns {
  /**
   * Runs `step` after those queued for the id before it. `arrive` waits for them, and may give up; then `step` never runs
   * and the queue goes on.
   */
  inTurn<T>(id: string, arrive: (others: Promise<unknown>) => Promise<void>, step: () => Promise<T>): Promise<T>
}

export function turns(): Turns {
  const tails = new Map<string, Promise<unknown>>()

  function inTurn<T>(id: string, arrive: (others: Promise<unknown>) => Promise<void>, step: () => Promise<T>): Promise<T> {
    const before = tails.get(id)
    const result = before === undefined ? step() : arrive(before).then(step)
    const done = () => {
      if (tails.get(id) === tail) tails.delete(id)
    }
    const tail: Promise<unknown> = before === undefined ? result.then(done, done) : Promise.all([before, result.catch(() => {})]).then(done)
    tails.set(id, tail)
    return result
  }

  return { inTurn }
}
