import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { histogram } from '../src/histogram.ts'

describe('a histogram', () => {
  it('is all zero while nothing was recorded', () => {
    expect(histogram().summary()).toEqual({ count: 0, p50Ms: 0, p95Ms: 0, p99Ms: 0, maxMs: 0 })
  })

  it('gives quantiles that are exact to 7 %, and never above the maximum', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0.001, max: 100_000, noNaN: true }), { minLength: 1, maxLength: 200 }), (durations) => {
        const recorded = histogram()
        for (const duration of durations) recorded.record(duration)
        const sorted = durations.toSorted((a, b) => a - b)
        const { count, maxMs, ...quantiles } = recorded.summary()
        expect(count).toBe(durations.length)
        expect(maxMs).toBe(sorted.at(-1))
        for (const [share, value] of [
          [0.5, quantiles.p50Ms],
          [0.95, quantiles.p95Ms],
          [0.99, quantiles.p99Ms],
        ] as const) {
          const exact = sorted[Math.ceil(sorted.length * share) - 1] ?? 0
          expect(value / exact).toBeGreaterThan(0.93)
          expect(value / exact).toBeLessThan(1.075)
          expect(value).toBeLessThanOrEqual(maxMs)
        }
      }),
    )
  })

  it.each([0, -1, Number.NaN, 1e-9, 1e12])('survives a duration of %s', (duration) => {
    const recorded = histogram()
    recorded.record(duration)
    expect(recorded.summary().count).toBe(1)
    expect(recorded.summary().p99Ms).not.toBeNaN()
  })
})
