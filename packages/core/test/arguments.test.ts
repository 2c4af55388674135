import { describe, expect, it } from 'vitest'
import { checkDurationMs, checkWholeNumber } from '../src/arguments.ts'

describe('a duration', () => {
  it.each([0, 1, 2 ** 31 - 1, 2 ** 31, 10_000 * 31_557_600_000, Number.MAX_SAFE_INTEGER, Number.POSITIVE_INFINITY])('can be %s', (ms) => {
    expect(checkDurationMs(ms, 'ttlMs')).toBe(ms)
  })

  it('is 0 for minus zero', () => {
    expect(Object.is(checkDurationMs(-0, 'ttlMs'), 0)).toBe(true)
  })

  it.each([-1, Number.NaN, 1.5, 1e300, 2 ** 53, Number.NEGATIVE_INFINITY])('cannot be %s, which is named', (ms) => {
    expect(() => checkDurationMs(ms, 'ttlMs')).toThrow(
      new RangeError(`ttlMs must be an integer of milliseconds from 0, or Infinity, got ${ms}`),
    )
  })

  it.each([
    ['5', '"5"'],
    [null, 'null'],
    [5n, 'bigint'],
    [{}, 'object'],
    [undefined, 'undefined'],
  ])('cannot be %s, which is named', (ms, name) => {
    expect(() => checkDurationMs(ms, 'ttlMs')).toThrow(new TypeError(`ttlMs must be a number, got ${name}`))
  })
})

describe('a whole number in a range', () => {
  it('includes both ends', () => {
    expect([1, 5].map((value) => checkWholeNumber(value, 'limit', 1, 5))).toEqual([1, 5])
  })

  it.each([0, 6, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('refuses %s, naming it', (value) => {
    expect(() => checkWholeNumber(value, 'limit', 1, 5)).toThrow(new RangeError(`limit must be an integer from 1 to 5, got ${value}`))
  })

  it('refuses what is no number, naming it', () => {
    expect(() => checkWholeNumber('3', 'limit', 1, 5)).toThrow(new TypeError('limit must be a number, got "3"'))
  })
})
