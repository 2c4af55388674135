import { describe, expect, it } from 'vitest'
import { clock } from '../src/clock.ts'

function clockOf(...instants: unknown[]) {
  const reported: Error[] = []
  const read = () => instants.shift() as number
  return { reported, ...clock(read, (error) => reported.push(error)) }
}

describe('the clock', () => {
  it('gives whole milliseconds', () => {
    expect(clockOf(5.9).now()).toBe(5)
  })

  it.each([Number.NaN, -1, Number.POSITIVE_INFINITY, 2 ** 53])('refuses %s, naming it', (at) => {
    const { now } = clockOf(at)
    expect(now).toThrow(new RangeError(`now() must return epoch milliseconds, got ${at}`))
  })

  it.each([
    [undefined, 'undefined'],
    ['5', 'string'],
    [5n, 'bigint'],
    [new Date(), 'object'],
  ])('refuses %s', (at, type) => {
    const { now } = clockOf(at)
    expect(now).toThrow(new RangeError(`now() must return epoch milliseconds, got ${type}`))
  })

  it('goes on after an instant that was none', () => {
    const { now } = clockOf(Number.NaN, 7)
    expect(now).toThrow(RangeError)
    expect(now()).toBe(7)
  })

  it('follows the application back, and reports each jump of more than a second once', () => {
    const { now, reported } = clockOf(10_000, 9_000, 8_999, 8_998, 20_000, 5_000, 5_001)
    expect([now(), now()]).toEqual([10_000, 9_000])
    expect(reported).toHaveLength(0)
    expect([now(), now()]).toEqual([8_999, 8_998])
    expect(reported.map((error) => error.message)).toEqual([expect.stringContaining('went back by 1001 ms')])
    expect([now(), now(), now()]).toEqual([20_000, 5_000, 5_001])
    expect(reported).toHaveLength(2)
  })

  it('adds the offset of the engine, and never goes below zero', () => {
    const { now, setOffset, offsetMs } = clockOf(10_000, 10_000, 10_000)
    setOffset(250.4)
    expect([offsetMs(), now()]).toEqual([250, 10_250])
    setOffset(-250)
    expect(now()).toBe(9_750)
    setOffset(-20_000)
    expect(now()).toBe(0)
  })
})
