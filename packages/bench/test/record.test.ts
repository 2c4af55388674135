import { expect, test } from 'vitest'
import { contentOf, counted, recordOf, updated } from '../src/sessions/record.ts'
import { contentOfSize } from '../src/sessions/record-size.ts'

function leavesOf(value: unknown): number {
  return typeof value === 'object' && value !== null ? Object.values(value).reduce((sum: number, part) => sum + leavesOf(part), 0) : 1
}

test.each([1, 4_321, 99_999])('the record of session %i is a kilobyte: 40 leaves in 960 bytes of JSON', (n) => {
  const text = JSON.stringify(recordOf('0b7ad8b1-3c5e-4f7e-9d3b-2f6b6d1f5c11', n))
  expect(leavesOf(contentOf(n))).toBe(40)
  expect(Math.abs(Buffer.byteLength(text) - 960)).toBeLessThan(16)
  // Beyond Latin-1: V8 keeps such a text with two bytes a character.
  expect([...text].some((character) => (character.codePointAt(0) ?? 0) > 0xff)).toBe(true)
})

test('an update changes one leaf, and leaves what it is given', () => {
  const content = contentOf(5)
  expect(counted(content)).toEqual({ ...content, counter: 6 })
  expect(content.counter).toBe(5)
  expect(updated(recordOf('id', 5))).toMatchObject({ version: 2, metadata: { counter: 6 } })
})

test.each([100, 1_024, 4_096, 262_144])('a record of %i bytes has that size, and the larger the more leaves', (bytes) => {
  const content = contentOfSize(7, bytes)
  expect(JSON.stringify(content).length).toBe(bytes)
  expect(leavesOf(content)).toBeGreaterThan(bytes / 60)
  expect(contentOfSize(7, bytes)).toEqual(content)
})
