import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Deadlines, deadlines } from '../src/deadlines.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout', 'performance'] })
})

afterEach(() => {
  vi.useRealTimers()
})

/** Waits, and gives what ends the waiting. */
function watch({ enter, leave }: Deadlines, deadlineAt: number, onLate: () => void): () => void {
  const waiter = { deadlineAt, onLate, place: -1 }
  enter(waiter)
  return () => leave(waiter)
}

describe('deadlines', () => {
  it.each([0, 1, 7, 24, 25, 26, 100, 5_000])('wake a waiter at most 100 ms after a deadline in %s ms, and never before it', (ms) => {
    const all = deadlines()
    vi.advanceTimersByTime(13)
    let lateMs: number | undefined
    const deadlineAt = performance.now() + ms
    watch(all, deadlineAt, () => {
      lateMs = performance.now() - deadlineAt
    })
    vi.advanceTimersByTime(ms)
    expect(lateMs).toBeUndefined()
    vi.advanceTimersByTime(100)
    expect(lateMs).toBeGreaterThan(0)
    expect(lateMs).toBeLessThan(100)
  })

  it('wake each waiter once, in any order of deadlines', () => {
    const all = deadlines()
    const woken: number[] = []
    for (const ms of [300, 100, 200, 100]) watch(all, performance.now() + ms, () => woken.push(ms))
    vi.advanceTimersByTime(1_000)
    expect(woken).toEqual([100, 100, 200, 300])
  })

  it('do not wake whoever has gone', () => {
    const all = deadlines()
    let woken = false
    const unwatch = watch(all, performance.now() + 50, () => {
      woken = true
    })
    unwatch()
    unwatch()
    vi.advanceTimersByTime(1_000)
    expect(woken).toBe(false)
  })

  it('use one timer for all waiters, and none while nobody waits', () => {
    const all = deadlines()
    expect(vi.getTimerCount()).toBe(0)
    const leave = Array.from({ length: 1_000 }, () => watch(all, performance.now() + 5_000, () => {}))
    expect(vi.getTimerCount()).toBe(1)
    for (const unwatch of leave) unwatch()
    vi.advanceTimersByTime(100)
    expect(vi.getTimerCount()).toBe(0)
    watch(all, performance.now() + 10, () => {})
    expect(vi.getTimerCount()).toBe(1)
    vi.advanceTimersByTime(200)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('wake those who began to wait while others were woken', () => {
    const all = deadlines()
    const woken: string[] = []
    watch(all, performance.now() + 10, () => {
      woken.push('first')
      watch(all, performance.now() + 10, () => woken.push('second'))
    })
    vi.advanceTimersByTime(300)
    expect(woken).toEqual(['first', 'second'])
  })
})
