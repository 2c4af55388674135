/** Wakes waiters at their deadlines, with one timer for all of them: a timer a call costs a fifth of a cached read. */
export interface Deadlines {
  /** Calls `onLate` once when `deadlineAt` (scale of `performance.now()`) has passed, unless the returned function ran before. */
  watch(deadlineAt: number, onLate: () => void): () => void
}

const tickMs = 25
/** A backend that keeps to the deadline itself says more than "late": let its answer arrive first. */
const graceMs = 40

/** The timer runs, and keeps the process alive, only while somebody waits. */
export function deadlines(): Deadlines {
  const waiters = new Set<{ readonly deadlineAt: number; readonly onLate: () => void }>()
  let timer: NodeJS.Timeout | undefined

  function tick(): void {
    const lateAt = performance.now() - graceMs
    for (const waiter of waiters) {
      if (waiter.deadlineAt > lateAt) continue
      waiters.delete(waiter)
      waiter.onLate()
    }
    if (waiters.size > 0) return
    clearInterval(timer)
    timer = undefined
  }

  return {
    watch(deadlineAt, onLate) {
      const waiter = { deadlineAt, onLate }
      waiters.add(waiter)
      timer ??= setInterval(tick, tickMs)
      return () => waiters.delete(waiter)
    },
  }
}
