import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { deadlines } from '../src/deadlines.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout', 'performance'] })
})

afterEach(() => {
  vi.useRealTimers()
})

describe('deadlines', () => {
  it.each([0, 1, 7, 24, 25, 26, 100, 5_000])('wake a waiter at most 100 ms after a deadline in %s ms, and never before it', (ms) => {
    const { watch } = deadlines()
    vi.advanceTimersByTime(13)
    let lateMs: number | undefined
    const deadlineAt = performance.now() + ms
    watch(deadlineAt, () => {
      lateMs = performance.now() - deadlineAt
    })
    vi.advanceTimersByTime(ms)
    expect(lateMs).toBeUndefined()
    vi.advanceTimersByTime(100)
    expect(lateMs).toBeGreaterThan(0)
    expect(lateMs).toBeLessThan(100)
  })

  it('wake each waiter once, in any order of deadlines', () => {
    const { watch } = deadlines()
    const woken: number[] = []
    for (const ms of [300, 100, 200, 100]) watch(performance.now() + ms, () => woken.push(ms))
    vi.advanceTimersByTime(1_000)
    expect(woken).toEqual([100, 100, 200, 300])
  })

  it('do not wake whoever has gone', () => {
    const { watch } = deadlines()
    let woken = false
    const unwatch = watch(performance.now() + 50, () => {
      woken = true
    })
    unwatch()
    unwatch()
    vi.advanceTimersByTime(1_000)
    expect(woken).toBe(false)
  })

  it('use one timer for all waiters, and none while nobody waits', () => {
    const { watch } = deadlines()
    expect(vi.getTimerCount()).toBe(0)
    const leave = Array.from({ length: 1_000 }, () => watch(performance.now() + 5_000, () => {}))
    expect(vi.getTimerCount()).toBe(1)
    for (const unwatch of leave) unwatch()
    vi.advanceTimersByTime(100)
    expect(vi.getTimerCount()).toBe(0)
    watch(performance.now() + 10, () => {})
    expect(vi.getTimerCount()).toBe(1)
    vi.advanceTimersByTime(200)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('wake those who began to wait while others were woken', () => {
    const { watch } = deadlines()
    const woken: string[] = []
    watch(performance.now() + 10, () => {
      woken.push('first')
      watch(performance.now() + 10, () => woken.push('second'))
    })
    vi.advanceTimersByTime(300)
    expect(woken).toEqual(['first', 'second'])
  })
})
