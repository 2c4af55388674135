import { expect, it } from 'vitest'
import { seededRandom } from '../src/random.ts'

const drawn = (seed: number, count: number) => Array.from({ length: count }, seededRandom(seed))

it('gives the same numbers for the same seed, and others for another', () => {
  expect(drawn(7, 50)).toEqual(drawn(7, 50))
  expect(drawn(7, 50)).not.toEqual(drawn(8, 50))
})

it('gives the numbers that mulberry32 is known for', () => {
  expect(drawn(0, 3)).toEqual([0.26642920868471265, 0.0003297457005828619, 0.2232720274478197])
})

it('spreads them evenly over [0, 1)', () => {
  const counts = new Array<number>(10).fill(0)
  for (const value of drawn(1, 10_000)) {
    expect(value).toBeGreaterThanOrEqual(0)
    expect(value).toBeLessThan(1)
    const bucket = Math.floor(value * 10)
    counts[bucket] = (counts[bucket] ?? 0) + 1
  }
  expect(Math.min(...counts)).toBeGreaterThan(900)
  expect(Math.max(...counts)).toBeLessThan(1_100)
})
