import { describe, expect, it } from 'vitest'
import { byteLru } from '../src/byte-lru.ts'

describe('a cache bounded by bytes', () => {
  it('forgets the least recently used first', () => {
    const cache = byteLru<number>(100)
    for (const [value, key] of ['a', 'b', 'c', 'd'].entries()) cache.set(key, value, 25)
    cache.get('a')
    cache.set('e', 4, 25)
    expect(['a', 'b', 'c', 'd', 'e'].map(cache.get)).toEqual([0, undefined, 2, 3, 4])
  })

  it('forgets something also where all was used', () => {
    const cache = byteLru<number>(100)
    for (const [value, key] of ['a', 'b', 'c', 'd'].entries()) cache.set(key, value, 25)
    for (const key of ['d', 'c', 'b', 'a']) cache.get(key)
    cache.set('e', 4, 25)
    expect(['a', 'b', 'c', 'd', 'e'].map(cache.get)).toEqual([undefined, 1, 2, 3, 4])
  })

  it('counts an entry that is set again once, and makes it the newest', () => {
    const cache = byteLru<number>(100)
    for (let round = 0; round < 50; round += 1) cache.set('a', round, 25)
    cache.set('b', 1, 25)
    cache.set('c', 1, 25)
    cache.set('a', 99, 25)
    cache.set('d', 1, 25)
    cache.set('e', 1, 10)
    expect(['a', 'b', 'c', 'd', 'e'].map(cache.get)).toEqual([99, undefined, 1, 1, 1])
  })

  it('forgets as many as a large newcomer needs', () => {
    const cache = byteLru<number>(100)
    for (let count = 0; count < 20; count += 1) cache.set(`k${count}`, count, 5)
    cache.set('large', 1, 25)
    expect(cache.get('k4')).toBeUndefined()
    expect(cache.get('k5')).toBe(5)
    expect(cache.get('large')).toBe(1)
  })

  it('keeps nothing that is larger than a quarter of all, nor what stood there before', () => {
    const cache = byteLru<number>(100)
    cache.set('a', 1, 25)
    cache.set('a', 2, 26)
    expect(cache.get('a')).toBeUndefined()
  })

  it('keeps nothing at all without bytes', () => {
    const cache = byteLru<number>(0)
    cache.set('a', 1, 1)
    expect(cache.get('a')).toBeUndefined()
  })

  it('gives the bytes of a deleted entry back', () => {
    const cache = byteLru<number>(100)
    for (const key of ['a', 'b', 'c', 'd']) cache.set(key, 1, 25)
    cache.delete('b')
    cache.delete('b')
    cache.delete('never')
    cache.set('e', 1, 25)
    expect(['a', 'b', 'c', 'd', 'e'].map(cache.get)).toEqual([1, undefined, 1, 1, 1])
  })
})
