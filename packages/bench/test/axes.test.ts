import { expect, test } from 'vitest'
import { apart } from '../src/results/apart.ts'
import { logScale } from '../src/results/log-scale.ts'

test('on a logarithmic axis the same factor is the same distance, and every value lies between the ends', () => {
  const { at, ticks } = logScale([3, 42_000], 0, 100)
  expect(at(100) - at(10)).toBeCloseTo(at(1_000) - at(100))
  for (const value of [3, 42_000, ...ticks]) expect(Math.abs(at(value) - 50)).toBeLessThanOrEqual(50.001)
  expect(ticks).toEqual([10, 100, 1_000, 10_000])
})

test('an axis of one value, or within one decade, still has ticks around it', () => {
  for (const values of [[7], [10], [1.2, 8.9]]) {
    const { at, ticks } = logScale(values, 0, 100)
    expect(ticks.length).toBeGreaterThan(1)
    for (const value of values) expect(Math.abs(at(value) - 50)).toBeLessThanOrEqual(50)
  }
})

test('an axis with given ends begins and ends with its values', () => {
  const { at } = logScale([1, 1_024], 10, 90, 'given')
  expect([at(1), at(32), at(1_024)].map(Math.round)).toEqual([10, 50, 90])
})

test('what is not above 0 has no place on a logarithmic axis', () => {
  for (const values of [[0, 1], [-1], [Number.NaN], []]) expect(() => logScale(values, 0, 1)).toThrow(RangeError)
})

test('names that would overlap are moved apart, in their order, within bounds', () => {
  const places = [90, 91, 10, 92, 11].map((at) => ({ at }))
  const moved = apart(places, 10, 0, 100).map((one) => one.moved)
  expect(moved).toEqual([10, 20, 80, 90, 100])
})
