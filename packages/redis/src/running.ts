/** Counts what is under way, for whoever waits until nothing is. */
export interface Running {
  readonly count: number
  /** One more is under way, until the promise settles. */
  add<T>(promise: Promise<T>): Promise<T>
  /** Resolves once all of them are through, those included that are added until then. */
  idle(): Promise<void>
}

/** A set of the promises would cost three closures and two more promises a call. */
export function running(): Running {
  let count = 0
  let waiting: (() => void)[] = []

  function leave(): void {
    count -= 1
    if (count > 0) return
    const done = waiting
    waiting = []
    for (const resolve of done) resolve()
  }

  return {
    get count() {
      return count
    },
    add(promise) {
      count += 1
      promise.then(leave, leave)
      return promise
    },
    async idle() {
      if (count > 0) await new Promise<void>((resolve) => waiting.push(resolve))
    },
  }
}
