import { describe, expect, it } from 'vitest'
import { decodeCursor, encodeCursor } from '../src/backend.ts'

describe('a cursor', () => {
  it.each(['', 's_abc', 'a\nb', '12:é😀', 'x'.repeat(10_000)])('gives position %j back', (position) => {
    const cursor = encodeCursor('tag', position)
    expect(cursor).toMatch(/^[A-Za-z0-9_-]+$/)
    expect(decodeCursor('tag', cursor)).toBe(position)
  })

  const good = encodeCursor('tag', 's_abc')
  it.each([
    ['', 'tag'],
    ['garbage', 'tag'],
    ['%%%', 'tag'],
    [`${good}=`, 'tag'],
    [`${good} `, 'tag'],
    [`${good}A`, 'tag'],
    [good.slice(0, 5), 'tag'],
    [Buffer.from('tag\ns_abc').toString('base64').replace(/=*$/, '!'), 'tag'],
    [good, 'other'],
    [good, 'ta'],
    [encodeCursor('tagger', 'x'), 'tag'],
  ])('%j is refused as one of another listing', (cursor, tag) => {
    expect(() => decodeCursor(tag, cursor)).toThrow(TypeError)
  })

  it.each([[5], [null], [undefined], [{}]])('%s is refused', (cursor) => {
    expect(() => decodeCursor('tag', cursor)).toThrow(TypeError)
  })
})
