/** The store's clock: epoch milliseconds, on the engine's scale where nodes share one. */
export interface Clock {
  /** A `RangeError` when the application's clock gives no instant. */
  now(): number
  /** Adds this to every instant from now on. */
  setOffset(offsetMs: number): void
  offsetMs(): number
}

const jumpMs = 1_000

/** A jump back of over a second is reported, once each: sessions keep their deadlines, so they live that much longer. */
export function clock(read: () => number, report: (error: Error) => void): Clock {
  let offset = 0
  let latest = Number.NEGATIVE_INFINITY

  function now(): number {
    const at = read()
    if (typeof at !== 'number' || !(at >= 0 && at <= Number.MAX_SAFE_INTEGER)) {
      throw new RangeError(`now() must return epoch milliseconds, got ${typeof at === 'number' ? at : typeof at}`)
    }
    if (at < latest - jumpMs) {
      const back = Math.round(latest - at)
      latest = at
      report(new RangeError(`now() went back by ${back} ms: nothing is lost, sessions expire that much later`))
    }
    if (at > latest) latest = at
    return Math.max(0, Math.floor(at) + offset)
  }

  return {
    now,
    setOffset(offsetMs) {
      offset = Math.round(offsetMs)
    },
    offsetMs: () => offset,
  }
}
