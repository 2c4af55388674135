/** Who waits for news of a session, and what wakes them: this process, a signal of another one, or the clock. */
export interface WakeUps {
  watch(sessionId: string): Watch
  /** News of that session; `undefined`: look at everything. */
  wake(sessionId: string | undefined): void
}

export interface Watch {
  /**
   * Resolves `true` at the next wake-up, at once where one came since the last call, and after the polling interval at the
   * latest; `false` once closed.
   */
  next(): Promise<boolean>
  close(): void
}

interface Waiter {
  isClosed: boolean
  hasNews: boolean
  resolve: ((open: boolean) => void) | undefined
}

/** What a timer of Node can wait for: beyond it, it fires at once. */
export const maxTimerMs: number = 2 ** 31 - 1

/** Watches are spread over that many slots, so that not all of them look at the same instant. */
const slotCount = 4

/** One unref'd timer for all watches, and none while nobody watches: every signal may be lost, so everybody also polls. */
export function wakeUps(pollIntervalMs: number): WakeUps {
  const bySession = new Map<string, Set<Waiter>>()
  const slots: Set<Waiter>[] = Array.from({ length: slotCount }, () => new Set())
  let timer: NodeJS.Timeout | undefined
  let turn = 0
  let watching = 0

  function tick(): void {
    turn = (turn + 1) % slotCount
    for (const waiter of slots[turn] ?? []) notify(waiter)
  }

  function notify(waiter: Waiter): void {
    const { resolve } = waiter
    if (resolve === undefined) {
      waiter.hasNews = true
      return
    }
    waiter.resolve = undefined
    resolve(!waiter.isClosed)
  }

  return {
    watch(sessionId) {
      const waiter: Waiter = { isClosed: false, hasNews: false, resolve: undefined }
      const slot = slots[watching % slotCount]
      const peers = bySession.get(sessionId) ?? new Set()
      bySession.set(sessionId, peers.add(waiter))
      slot?.add(waiter)
      watching += 1
      timer ??= setInterval(tick, pollIntervalMs / slotCount).unref()
      return {
        next() {
          if (waiter.isClosed) return Promise.resolve(false)
          if (waiter.hasNews) {
            waiter.hasNews = false
            return Promise.resolve(true)
          }
          return new Promise((resolve) => {
            waiter.resolve = resolve
          })
        },
        close() {
          if (waiter.isClosed) return
          waiter.isClosed = true
          peers.delete(waiter)
          if (peers.size === 0 && bySession.get(sessionId) === peers) bySession.delete(sessionId)
          slot?.delete(waiter)
          watching -= 1
          if (watching === 0) {
            clearInterval(timer)
            timer = undefined
          }
          notify(waiter)
        },
      }
    },
    wake(sessionId) {
      const woken = sessionId === undefined ? [...bySession.values()] : [bySession.get(sessionId)]
      for (const waiters of woken) for (const waiter of waiters ?? []) notify(waiter)
    },
  }
}
