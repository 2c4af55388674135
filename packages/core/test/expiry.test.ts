import { describe, expect, it } from 'vitest'
import { expiryOf, instantAfter, isExpired } from '../src/expiry.ts'

const never = Number.POSITIVE_INFINITY

describe('expiry', () => {
  it.each([
    [1_000, 500, never, 1_500],
    [1_000, 500, 1_200, 1_200],
    [1_000, never, 1_200, 1_200],
    [1_000, never, never, never],
    [1_000, 0, never, 1_000],
    [1_000, Number.MAX_SAFE_INTEGER, never, never],
    [1_000, Number.MAX_SAFE_INTEGER, 2_000, 2_000],
    [1_000, Number.MAX_SAFE_INTEGER - 1_000, never, Number.MAX_SAFE_INTEGER],
    [1_700_000_000_000, 10_000 * 31_557_600_000, never, 1_700_000_000_000 + 10_000 * 31_557_600_000],
  ])('after access at %s with a window of %s and an end at %s is at %s', (lastAccessedAt, ttlMs, mustEndAt, expected) => {
    expect(expiryOf(lastAccessedAt, ttlMs, mustEndAt)).toBe(expected)
  })

  it('turns sums beyond the safe integers into never', () => {
    expect(instantAfter(1, Number.MAX_SAFE_INTEGER - 1)).toBe(Number.MAX_SAFE_INTEGER)
    expect(instantAfter(2, Number.MAX_SAFE_INTEGER - 1)).toBe(never)
  })

  it('is there at the deadline and not one millisecond before', () => {
    expect([99, 100, 101].map((now) => isExpired({ expiresAt: 100 }, now))).toEqual([false, true, true])
    expect(isExpired({ expiresAt: never }, Number.MAX_SAFE_INTEGER)).toBe(false)
  })
})
