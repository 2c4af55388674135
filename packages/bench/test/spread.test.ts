import { expect, test } from 'vitest'
import { medianOf, spreadOf } from '../src/spread.ts'

test('a spread has the middle value, the least and the greatest, in whatever order they came', () => {
  expect(spreadOf([9, 10, 1])).toEqual({ median: 9, min: 1, max: 10 })
})

test('the median of an even number lies between the middle ones', () => {
  expect(medianOf([4, 1, 2, 100])).toBe(3)
})

test('nothing has no median', () => {
  expect(() => medianOf([])).toThrow(RangeError)
})
