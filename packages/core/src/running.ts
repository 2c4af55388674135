/** Counts what is under way, for whoever waits until nothing is. */
export interface Running {
  readonly count: number
  /** One more is under way. */
  enter(): void
  /** One that entered is through. */
  leave(): void
  /** Resolves once all that have entered are through, those included that enter until then. For one that waits at a time. */
  idle(): Promise<void>
}

/** A set of their promises, each with a reaction that takes it out again, would cost a tenth of a cached read. */
export function running(): Running {
  let count = 0
  let onIdle: (() => void) | undefined
  return {
    get count() {
      return count
    },
    enter() {
      count += 1
    },
    leave() {
      count -= 1
      if (count === 0) onIdle?.()
    },
    idle: () =>
      new Promise((resolve) => {
        if (count === 0) resolve()
        else onIdle = resolve
      }),
  }
}
