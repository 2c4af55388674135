import { crowd, type Placed } from './crowd.ts'

/** Wakes waiters at their deadlines, with one timer for all of them: a timer a call costs a fifth of a cached read. */
export interface Deadlines {
  /** Calls `onLate` once when `deadlineAt` has passed, unless the waiter leaves before. */
  enter(waiter: Waiter): void
  leave(waiter: Waiter): void
}

export interface Waiter extends Placed {
  /** On the scale of `performance.now()`. */
  readonly deadlineAt: number
  readonly onLate: () => void
}

const tickMs = 25
/** A backend that keeps to the deadline itself says more than "late": let its answer arrive first. */
const graceMs = 40

/** The timer runs, and keeps the process alive, only while somebody waits. */
export function deadlines(): Deadlines {
  const { members, enter, leave } = crowd<Waiter>()
  let timer: NodeJS.Timeout | undefined

  function tick(): void {
    const lateAt = performance.now() - graceMs
    for (const waiter of members.filter(({ deadlineAt }) => deadlineAt <= lateAt)) {
      // One that was woken before may have taken it along.
      if (waiter.place < 0) continue
      leave(waiter)
      waiter.onLate()
    }
    if (members.length > 0) return
    clearInterval(timer)
    timer = undefined
  }

  return {
    enter(waiter) {
      enter(waiter)
      timer ??= setInterval(tick, tickMs)
    },
    leave,
  }
}
