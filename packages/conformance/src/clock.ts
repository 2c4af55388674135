/** The clock of a case: it stands still until it is moved. It starts in 2001, so that a backend that reads its own is found out. */
export interface ManualClock {
  readonly now: number
  advance(ms: number): void
  set(at: number): void
}

export const START: number = Date.UTC(2001, 0, 1)

export function manualClock(start: number = START): ManualClock {
  let now = start
  return {
    get now() {
      return now
    },
    advance(ms) {
      now += ms
    },
    set(at) {
      now = at
    },
  }
}
