import { deepStrictEqual } from 'node:assert/strict'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { textCodec } from '../src/index.ts'
import { encodeText } from '../src/text-codec.ts'
import { storable } from './storable.ts'

const place = { id: 's_x', owner: null, part: 'metadata' } as const

function roundTrip(value: unknown): unknown {
  return textCodec.decode(textCodec.encode(value, place), place)
}

describe('round trip', () => {
  it('gives back any storable value exactly, in text without NUL and lone surrogates', () => {
    fc.assert(
      fc.property(storable, (value) => {
        const text = textCodec.encode(value, place)
        expect(text).not.toMatch(/\0|[\ud800-\udfff]/u)
        // V8 13.6 misreads some keys with escapes: none is written.
        expect(text).not.toMatch(/"(?:[^"\\]|\\.)*\\.(?:[^"\\]|\\.)*":/)
        deepStrictEqual(textCodec.decode(text, place), value)
      }),
      { numRuns: 1_000 },
    )
  })

  it('keeps the order of keys, of entries and of items', () => {
    const value = { b: 1, a: new Map([[{ z: 1, y: 2 }, 1n]]), s: new Set(['b', 'a']) }
    const back = roundTrip(value) as typeof value
    expect(Object.keys(back)).toEqual(['b', 'a', 's'])
    expect([...back.a.keys()].map(Object.keys)).toEqual([['z', 'y']])
    expect([...back.s]).toEqual(['b', 'a'])
  })

  it('keeps an invalid date invalid', () => {
    expect((roundTrip([new Date(Number.NaN)]) as Date[])[0]?.getTime()).toBeNaN()
  })

  it.each([
    ['a key $', { $: 'date', v: 5, u: undefined }],
    ['a lone tag', { $: 'undefined' }],
    ['tags in tags', { $: { $: { $: 'map', v: [] } }, n: Number.NaN }],
    ['a null-prototype object with $', Object.assign(Object.create(null), { $: 'bare', v: {} })],
  ])('is not fooled by %s', (_name, value) => {
    deepStrictEqual(roundTrip(value), value)
    deepStrictEqual(roundTrip([value, 1n]), [value, 1n])
  })

  it('gives 100 levels of every container back', () => {
    let value: unknown = 1n
    for (let level = 0; level < 99; level += 1) {
      const inner = value
      value = [[inner], new Map([[inner, 1]]), new Set([inner]), { $: inner }][level % 4]
    }
    deepStrictEqual(roundTrip(value), value)
  })
})

describe('the durable formats', () => {
  it.each([
    [{ a: [1, 'x', null] }, 'j{"a":[1,"x",null]}'],
    [{ $: 1 }, 'j{"$":1}'],
    [{ u: undefined }, 't{"u":{"$":"undefined"}}'],
    [[Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0], 't[{"$":"NaN"},{"$":"Infinity"},{"$":"-Infinity"},{"$":"-0"}]'],
    [{ d: new Date(5) }, 't{"d":{"$":"date","v":5}}'],
    [{ m: new Map([[1, 'a']]) }, 't{"m":{"$":"map","v":[[1,"a"]]}}'],
    [{ s: new Set([1]) }, 't{"s":{"$":"set","v":[1]}}'],
    [{ b: new Uint8Array([1, 2, 255]) }, 't{"b":{"$":"bytes","v":"AQL/"}}'],
    [Object.assign(Object.create(null), { a: 1 }), 't{"$":"bare","v":[["a",1]]}'],
    [[{ $: 1 }, undefined], 't[{"$":"object","v":[["$",1]]},{"$":"undefined"}]'],
    [{ 'a"b': 1 }, 't{"$":"object","v":[["a\\"b",1]]}'],
  ])('writes %o as it always has', (value, text) => {
    expect(textCodec.encode(value, place)).toBe(text)
    deepStrictEqual(textCodec.decode(text, place), value)
  })

  it('writes a date that is none as null', () => {
    expect(textCodec.encode({ d: new Date(Number.NaN) }, place)).toBe('t{"d":{"$":"date","v":null}}')
  })

  it('still reads big integers as hexadecimal text', () => {
    expect(textCodec.decode('t{"n":{"$":"bigint","v":"-ab54a98ceb1f0ad2"}}', place)).toEqual({ n: -12345678901234567890n })
    expect(roundTrip([-(2n ** 200n), 0n])).toEqual([-(2n ** 200n), 0n])
  })

  it('writes plain values and tells so by the walk, as by itself', () => {
    for (const value of [{ a: 1 }, { a: 1n }, { 'a"': '\\' }, { a: { b: ['"'] } }, { a: { '\n': 1 } }, { a: [{ '\ud800': 1 }] }]) {
      expect(encodeText(value, 'a' in value && value.a === 1n)).toBe(textCodec.encode(value, place))
    }
  })
})

describe('texts that are not ours', () => {
  it.each([
    ['', /JSON|format/],
    ['j', /JSON/],
    ['jnot json', /JSON/],
    ['x{}', /unknown text format/],
    ['t{"$":"nope"}', /unknown tag/],
    ['t{"$":5}', /unknown tag/],
    ['t{"$":"map","v":[1]}', /not a pair/],
    ['t{"$":"map","v":[[1]]}', /not a pair/],
    ['t{"$":"map","v":5}', /unknown tag/],
    ['t{"$":"set"}', /unknown tag/],
    ['t{"$":"bytes","v":5}', /unknown tag/],
    ['t{"$":"bigint","v":"x"}', /BigInt/],
    ['t{"$":"object","v":[["__proto__",1]]}', /__proto__/],
    ['t{"a":{"__proto__":1}}', /__proto__/],
  ])('refuses %s', (text, message) => {
    expect(() => textCodec.decode(text, place)).toThrow(message)
  })

  it('refuses a nesting that no encoder made, before the stack ends', () => {
    expect(() => textCodec.decode(`t${'['.repeat(5_000)}${']'.repeat(5_000)}`, place)).toThrow(/too deep/)
  })
})
