import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { sweeper } from '../src/sweeper.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
})

afterEach(() => {
  vi.restoreAllMocks()
  vi.useRealTimers()
})

function started(intervalMs: number, sweep: () => Promise<unknown>) {
  const reported: unknown[] = []
  return { reported, ...sweeper({ intervalMs, sweep, report: (error) => reported.push(error) }) }
}

function counted(intervalMs: number) {
  const passes = { count: 0 }
  return {
    passes,
    ...started(intervalMs, async () => {
      passes.count += 1
    }),
  }
}

describe('the sweeper', () => {
  it.each([
    [0, 500],
    [0.5, 1_000],
    [0.999, 1_499],
  ])('with a random share of %s waits %s ms of an interval of 1,000', async (random, ms) => {
    vi.spyOn(Math, 'random').mockReturnValue(random)
    const { passes } = counted(1_000)
    await vi.advanceTimersByTimeAsync(ms - 1)
    expect(passes.count).toBe(0)
    await vi.advanceTimersByTimeAsync(1)
    expect(passes.count).toBe(1)
    await vi.advanceTimersByTimeAsync(ms)
    expect(passes.count).toBe(2)
  })

  it('draws the wait anew each time', async () => {
    vi.spyOn(Math, 'random').mockReturnValueOnce(0).mockReturnValueOnce(0.9).mockReturnValue(0.5)
    const { passes } = counted(1_000)
    await vi.advanceTimersByTimeAsync(500 + 1_399)
    expect(passes.count).toBe(1)
    await vi.advanceTimersByTimeAsync(1)
    expect(passes.count).toBe(2)
  })

  it('never has two passes in flight', async () => {
    let running = 0
    let most = 0
    let finish = () => {}
    started(100, () => {
      running += 1
      most = Math.max(most, running)
      return new Promise<void>((resolve) => {
        finish = () => {
          running -= 1
          resolve()
        }
      })
    })
    await vi.advanceTimersByTimeAsync(10_000)
    expect([running, most]).toEqual([1, 1])
    finish()
    await vi.advanceTimersByTimeAsync(150)
    expect([running, most]).toEqual([1, 1])
  })

  it('reports a failure and goes on', async () => {
    let passes = 0
    const { reported } = started(100, async () => {
      passes += 1
      throw new Error(`pass ${passes}`)
    })
    await vi.advanceTimersByTimeAsync(300)
    expect(passes).toBeGreaterThan(1)
    expect(reported).toHaveLength(passes)
    expect(reported[0]).toMatchObject({ message: 'pass 1' })
  })

  it('never sweeps with an interval of 0', async () => {
    const { passes } = counted(0)
    expect(vi.getTimerCount()).toBe(0)
    await vi.advanceTimersByTimeAsync(1_000_000)
    expect(passes.count).toBe(0)
  })

  it('waits longer than a timer of Node can', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.5)
    const setTimer = vi.spyOn(globalThis, 'setTimeout')
    const intervalMs = 5 * 2 ** 31
    const { passes } = counted(intervalMs)
    await vi.advanceTimersByTimeAsync(intervalMs - 1)
    expect(passes.count).toBe(0)
    await vi.advanceTimersByTimeAsync(1)
    expect(passes.count).toBe(1)
    for (const [, ms] of setTimer.mock.calls) expect(ms).toBeLessThanOrEqual(2 ** 31 - 1)
  })

  it('holds no process alive', () => {
    const setTimer = vi.spyOn(globalThis, 'setTimeout')
    counted(1_000)
    const timer = setTimer.mock.results[0]?.value as NodeJS.Timeout
    expect(timer.hasRef()).toBe(false)
  })

  it('starts nothing after it was stopped', async () => {
    const { passes, stop } = counted(1_000)
    await stop()
    expect(vi.getTimerCount()).toBe(0)
    await vi.advanceTimersByTimeAsync(10_000)
    expect(passes.count).toBe(0)
  })

  it('waits for the running pass when it is stopped, and does not start another', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.5)
    const log: string[] = []
    let finish = () => {}
    const { stop } = started(1_000, () => {
      log.push('pass')
      return new Promise<void>((resolve) => {
        finish = () => {
          log.push('passed')
          resolve()
        }
      })
    })
    await vi.advanceTimersByTimeAsync(1_000)
    const stopped = stop().then(() => log.push('stopped'))
    await new Promise<void>((resolve) => setImmediate(resolve))
    expect(log).toEqual(['pass'])
    finish()
    await stopped
    await vi.advanceTimersByTimeAsync(10_000)
    expect(log).toEqual(['pass', 'passed', 'stopped'])
  })
})
