import { deepStrictEqual } from 'node:assert/strict'
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { SessionError } from '../src/errors.ts'
import { frozenCopy } from '../src/frozen-copy.ts'
import { storable } from './storable.ts'
import { thrown } from './store.ts'

const mebibyte = 1_048_576

class Cart {
  readonly items: string[] = []
}

function nested(levels: number, make: (inner: unknown) => unknown): unknown {
  let value: unknown = make(1)
  for (let level = 1; level < levels; level += 1) value = make(value)
  return value
}

function cycle(): object {
  const value: Record<string, unknown> = { name: 'loop' }
  value['self'] = { again: value }
  return value
}

function withHidden(): object {
  return Object.defineProperty({ shown: 1 }, 'hidden', { value: 1, enumerable: false })
}

function named<T extends object>(value: T): T {
  return Object.assign(value, { extra: 1 })
}

const refused: [name: string, value: () => unknown, message: RegExp][] = [
  ['a function', () => ({ a: { b: () => 1 } }), /^metadata\.a\.b: a function cannot be stored$/],
  ['a class', () => ({ a: Cart }), /^metadata\.a: a function/],
  ['a symbol', () => ({ list: [1, Symbol('x')] }), /^metadata\.list\[1\]: a symbol/],
  ['a symbol key', () => ({ a: { [Symbol('key')]: 1 } }), /^metadata\.a\[?.*symbol cannot be a key$/],
  ['a cycle', cycle, /^metadata\.self\.again\.self\.again.*…?.*: a cycle cannot be stored$/],
  ['a class instance', () => ({ cart: new Cart() }), /^metadata\.cart: an instance of Cart cannot be stored/],
  ['an instance of an unnamed class', () => ({ cart: new (class {})() }), /^metadata\.cart: an instance of a class cannot/],
  ['a subclass of Map', () => ({ m: new (class Index extends Map {})() }), /^metadata\.m: an instance of Index/],
  ['a subclass of Date', () => ({ d: new (class Day extends Date {})() }), /^metadata\.d: an instance of Day/],
  ['a subclass of Array', () => ({ a: new (class List extends Array {})() }), /^metadata\.a: an array of a subclass/],
  ['a Buffer', () => ({ b: Buffer.from('x') }), /^metadata\.b: an instance of Buffer/],
  ['a Uint16Array', () => ({ b: new Uint16Array(1) }), /^metadata\.b: an instance of Uint16Array/],
  ['an ArrayBuffer', () => ({ b: new ArrayBuffer(1) }), /^metadata\.b: an instance of ArrayBuffer/],
  ['a RegExp', () => ({ r: /x/ }), /^metadata\.r: an instance of RegExp/],
  ['an Error', () => ({ e: new Error('x') }), /^metadata\.e: an instance of Error/],
  ['a promise', () => ({ p: Promise.resolve(1) }), /^metadata\.p: an instance of Promise/],
  ['a WeakMap', () => ({ w: new WeakMap() }), /^metadata\.w: an instance of WeakMap/],
  ['a boxed string', () => ({ s: Object('text') }), /^metadata\.s: an instance of String/],
  ['an object that inherits', () => ({ o: Object.create({ admin: true }) }), /^metadata\.o: an instance of a class/],
  ['a false Date', () => ({ d: Object.create(Date.prototype) }), /^metadata\.d: an instance of Date/],
  ['an own __proto__', () => ({ a: JSON.parse('{"__proto__":{"admin":true}}') }), /^metadata\.a\.__proto__: an own __proto__/],
  ['101 objects in each other', () => nested(101, (inner) => ({ a: inner })), /: nested deeper than 100 levels$/],
  ['101 arrays in each other', () => nested(101, (inner) => [inner]), /: nested deeper than 100 levels$/],
  ['101 maps in each other', () => nested(101, (inner) => new Map([[1, inner]])), /: nested deeper than 100 levels$/],
  // biome-ignore lint/suspicious/noSparseArray: the hole is the point.
  ['a hole', () => ({ a: [1, , 3] }), /^metadata\.a\[1\]: an array with holes/],
  ['an array with a name', () => ({ a: named([1]) }), /^metadata\.a: an array with named properties/],
  ['a Map with a property', () => ({ m: named(new Map()) }), /^metadata\.m: a Map with properties of its own/],
  ['a Set with a property', () => ({ m: named(new Set()) }), /^metadata\.m: a Set with properties of its own/],
  ['a Date with a property', () => ({ d: named(new Date()) }), /^metadata\.d: a Date with properties of its own/],
  ['a hidden property', () => ({ a: withHidden() }), /^metadata\.a\.hidden: a hidden property/],
  ['a function in a Map', () => ({ m: new Map([['k', () => 1]]) }), /^metadata\.m\[0\]: a function/],
  ['a function as key of a Map', () => ({ m: new Map([[() => 1, 1]]) }), /^metadata\.m\[0\]: a function/],
  ['a function in a Set', () => ({ s: new Set([1, () => 1]) }), /^metadata\.s\[1\]: a function/],
  ['a key that is no name', () => ({ 'a b': { '': () => 1 } }), /^metadata\["a b"\]\[""\]: a function/],
]

describe('what cannot be kept', () => {
  it.each(refused)('refuses %s with its path', (_name, make, message) => {
    const error = thrown(() => frozenCopy(make(), 'metadata', mebibyte))
    expect(error).toBeInstanceOf(TypeError)
    expect(String((error as TypeError).message)).toMatch(message)
  })

  it('refuses a getter without running it', () => {
    let ran = 0
    const value = {
      get secret() {
        ran += 1
        return 1
      },
    }
    expect(() => frozenCopy({ a: value }, 'metadata', mebibyte)).toThrow(/^metadata\.a\.secret: a getter cannot be stored$/)
    expect(ran).toBe(0)
  })

  it('refuses a setter and an accessor in an array', () => {
    expect(() => frozenCopy({ set a(_value: unknown) {} }, 'metadata', mebibyte)).toThrow(/metadata\.a: a getter/)
    const array = Object.defineProperty([1, 2], 1, { get: () => 2, enumerable: true })
    expect(() => frozenCopy(array, 'metadata', mebibyte)).toThrow(/metadata\[1\]: a getter/)
  })

  it('refuses a proxy without asking it anything', () => {
    const asked: string[] = []
    const told = new Proxy({}, { get: (_target, trap) => () => void asked.push(String(trap)) })
    const lying = new Proxy({ a: 1 }, told)
    expect(() => frozenCopy({ lying }, 'metadata', mebibyte)).toThrow(/^metadata\.lying: a proxy cannot be stored$/)
    expect(asked).toEqual([])
  })

  it('never runs toJSON', () => {
    expect(() => frozenCopy({ a: { toJSON: () => 'other' } }, 'metadata', mebibyte)).toThrow(/^metadata\.a\.toJSON: a function/)
    expect(frozenCopy({ toJSON: 'text' }, 'metadata', mebibyte).value).toEqual({ toJSON: 'text' })
  })

  it('shortens a long path and keeps both of its ends', () => {
    const error = thrown(() =>
      frozenCopy(
        nested(60, (inner) => ({ step: inner, end: inner === 1 ? Symbol('x') : 0 })),
        'metadata',
        mebibyte,
      ),
    )
    expect(String((error as Error).message)).toMatch(/^metadata(\.step){20,30}[.step]*…[.step]*(\.step){9,}\.end: a symbol/)
    const longKeys = thrown(() => frozenCopy({ ['k'.repeat(5_000)]: () => 1 }, 'metadata', mebibyte))
    expect(String((longKeys as Error).message).length).toBeLessThan(400)
  })
})

describe('size', () => {
  it('stops at the limit while it walks a bomb of shared references', () => {
    let bomb: unknown = ['x']
    for (let level = 0; level < 80; level += 1) bomb = [bomb, bomb]
    const error = thrown(() => frozenCopy({ bomb }, 'metadata', mebibyte))
    expect(SessionError.is(error, 'MCP_SESSION_TOO_LARGE')).toBe(true)
    expect(String((error as Error).message)).toMatch(/^metadata \(the walk stopped at metadata\.bomb\[0\].*exceeds 1048576 bytes/)
  })

  it('copies what a large value shares as if it stood there twice', () => {
    const part = Array.from({ length: 2_000 }, (_, index) => ({ index }))
    const { value } = frozenCopy({ a: part, b: { c: part } }, 'metadata', mebibyte)
    expect(value).toEqual({ a: part, b: { c: part } })
    const needed = JSON.stringify(part).length
    expect(() => frozenCopy({ a: part, b: part }, 'metadata', needed)).toThrow(/exceeds/)
  })

  it('measures the depth of what is shared where it stands', () => {
    const many = Array.from({ length: 2_000 }, () => ({}))
    let deep: unknown = 1
    for (let level = 0; level < 60; level += 1) deep = [deep]
    let deeper: unknown = deep
    for (let level = 0; level < 60; level += 1) deeper = [deeper]
    expect(() => frozenCopy({ many, deep }, 'metadata', mebibyte)).not.toThrow()
    expect(() => frozenCopy({ many, deep, deeper }, 'metadata', mebibyte)).toThrow(/deeper than 100 levels/)
  })

  it.each([
    ['empty objects', {} as unknown],
    ['empty sets', new Set()],
    ['empty texts', ''],
    ['null', null],
    ['undefined', undefined],
    ['big integers', 1n << 64n],
  ])('stops at the limit in a bomb of %s', (_name, shared) => {
    let bomb: unknown = shared
    for (let level = 0; level < 70; level += 1) bomb = new Map([[bomb, bomb]])
    expect(
      SessionError.is(
        thrown(() => frozenCopy({ bomb }, 'metadata', 65_536)),
        'MCP_SESSION_TOO_LARGE',
      ),
    ).toBe(true)
  })

  it('stops at the limit in a cycle that branches', () => {
    const value: Record<string, unknown> = {}
    for (const name of ['a', 'b', 'c']) value[name] = value
    expect(() => frozenCopy(value, 'metadata', mebibyte)).toThrow(/cycle|exceeds/)
  })

  it('refuses an array of four billion holes at once', () => {
    expect(
      SessionError.is(
        thrown(() => frozenCopy({ a: new Array(2 ** 32 - 1) }, 'metadata', mebibyte)),
        'MCP_SESSION_TOO_LARGE',
      ),
    ).toBe(true)
  })

  it('refuses a huge big integer without writing it out', () => {
    // Its decimal digits would take seconds.
    const huge = 1n << 60_000_000n
    expect(
      SessionError.is(
        thrown(() => frozenCopy({ huge }, 'metadata', mebibyte)),
        'MCP_SESSION_TOO_LARGE',
      ),
    ).toBe(true)
    expect(
      SessionError.is(
        thrown(() => frozenCopy({ huge: -huge }, 'metadata', mebibyte)),
        'MCP_SESSION_TOO_LARGE',
      ),
    ).toBe(true)
  })

  it('refuses 2 MiB of text and of bytes', () => {
    expect(() => frozenCopy({ text: 'x'.repeat(2 * mebibyte) }, 'metadata', mebibyte)).toThrow(/metadata\.text/)
    expect(() => frozenCopy({ bytes: new Uint8Array(mebibyte) }, 'metadata', mebibyte)).toThrow(/metadata\.bytes/)
  })

  it('never refuses what fits: its count is a lower bound of the encoding', () => {
    fc.assert(
      fc.property(storable, (value) => {
        frozenCopy(value, 'metadata', Buffer.byteLength(JSON.stringify(value, lossless) ?? '') + 1_000)
      }),
      { numRuns: 300 },
    )
  })
})

/** At least as long as no encoding can be shorter: JSON with something in every place. */
function lossless(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}`
  if (value instanceof Map) return [...value]
  if (value instanceof Set) return [...value]
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  return value ?? 'null'
}

describe('the copy', () => {
  it('equals what was given, exactly', () => {
    fc.assert(
      fc.property(storable, (value) => {
        deepStrictEqual(frozenCopy(value, 'metadata', mebibyte).value, value)
      }),
      { numRuns: 300 },
    )
  })

  it('accepts 100 levels', () => {
    expect(() =>
      frozenCopy(
        nested(100, (inner) => ({ a: inner })),
        'metadata',
        mebibyte,
      ),
    ).not.toThrow()
    expect(() =>
      frozenCopy(
        nested(100, (inner) => new Map([[inner, [1]]].slice(0, 1).map(([key]) => [1, key]))),
        'metadata',
        mebibyte,
      ),
    ).not.toThrow()
  })

  it('is frozen at every level, and the original is not', () => {
    const original = { list: [{ deep: { a: 1 } }], bare: Object.assign(Object.create(null), { b: 1 }) }
    const { value } = frozenCopy(original, 'metadata', mebibyte)
    const copied = value as typeof original
    for (const part of [copied, copied.list, copied.list[0], copied.list[0]?.deep, copied.bare]) expect(Object.isFrozen(part)).toBe(true)
    for (const part of [original, original.list, original.list[0], original.bare]) expect(Object.isFrozen(part)).toBe(false)
    original.list.push({ deep: { a: 2 } })
    expect(copied.list).toHaveLength(1)
  })

  it('shares nothing mutable with the original', () => {
    const original = { date: new Date(0), map: new Map([['k', [1]]]), set: new Set([1]), bytes: new Uint8Array([1, 2]) }
    const copied = frozenCopy(original, 'metadata', mebibyte).value as typeof original
    original.date.setTime(5)
    original.map.get('k')?.push(2)
    original.map.set('other', [])
    original.set.add(2)
    original.bytes[0] = 9
    expect(copied).toEqual({ date: new Date(0), map: new Map([['k', [1]]]), set: new Set([1]), bytes: new Uint8Array([1, 2]) })
  })

  it('copies only the bytes that a view shows', () => {
    const view = new Uint8Array(new Uint8Array([1, 2, 3, 4]).buffer, 1, 2)
    const copied = frozenCopy({ view }, 'metadata', mebibyte).value as { view: Uint8Array }
    expect([...copied.view]).toEqual([2, 3])
    expect(copied.view.buffer.byteLength).toBe(2)
  })

  it.each([
    ['plain', { a: [1, 'x', null, true, { $: 1 }] }, false, false],
    ['undefined', { a: undefined }, true, false],
    ['NaN', [Number.NaN], true, false],
    ['Infinity', [Number.POSITIVE_INFINITY], true, false],
    ['minus zero', [-0], true, false],
    ['bigint', [1n], true, false],
    ['null-prototype object', Object.create(null), true, false],
    ['Date', [new Date()], true, true],
    ['Map', { a: new Map() }, true, true],
    ['Set', { a: new Set() }, true, true],
    ['Uint8Array', { a: new Uint8Array() }, true, true],
  ])('tells of %s whether it is exotic and mutable', (_name, value, exotic, mutable) => {
    expect(frozenCopy(value, 'metadata', mebibyte)).toMatchObject({ exotic, mutable })
  })
})

describe('what stands in its old place', () => {
  const before = frozenCopy({ user: { name: 'a', tags: ['x', { deep: 1 }] }, list: [{ n: 1 }, { n: 2 }], count: 1 }, 'metadata', mebibyte)
  const old = before.value as { user: { tags: unknown[] }; list: { n: number }[]; count: number }

  it('is kept as it is, without being looked at', () => {
    const reads = vi.spyOn(Object, 'getOwnPropertyDescriptor')
    const { value } = frozenCopy({ ...old, count: 2 }, 'metadata', mebibyte, before)
    const seen = reads.mock.calls.length
    reads.mockRestore()
    expect(value).toEqual({ ...old, count: 2 })
    expect((value as typeof old).user).toBe(old.user)
    expect((value as typeof old).list).toBe(old.list)
    expect(seen).toBe(3)
  })

  it('is kept below what has changed', () => {
    const { value } = frozenCopy({ ...old, list: [...old.list, { n: 3 }] }, 'metadata', mebibyte, before)
    expect((value as typeof old).list[1]).toBe(old.list[1])
    expect(Object.isFrozen((value as typeof old).list)).toBe(true)
  })

  it('is copied where it has moved, like any other value', () => {
    const moved = frozenCopy({ copy: old.user, user: old.list }, 'metadata', mebibyte, before).value as { copy: object; user: object }
    expect(moved).toEqual({ copy: old.user, user: old.list })
    expect(moved.copy).not.toBe(old.user)
    expect(moved.user).not.toBe(old.list)
  })

  it('is nobody’s but the last value’s: an equal object of the caller is copied', () => {
    const user = structuredClone(old.user)
    const { value } = frozenCopy({ ...old, user }, 'metadata', mebibyte, before)
    user.tags.push('later')
    expect((value as typeof old).user).toEqual(old.user)
  })

  it('is walked where the last value had something that freezing does not protect, or that JSON changes', () => {
    for (const odd of [{ a: { date: new Date(0) } }, { a: { n: -0 } }]) {
      const last = frozenCopy(odd, 'metadata', mebibyte)
      const { value, exotic } = frozenCopy(last.value, 'metadata', mebibyte, last)
      expect([value, exotic]).toEqual([odd, true])
      expect((value as typeof odd).a).not.toBe((last.value as typeof odd).a)
    }
  })

  it('never hides a value that cannot be kept', () => {
    expect(() => frozenCopy({ ...old, toString: () => 1 }, 'metadata', mebibyte, before)).toThrow(/^metadata\.toString: a function/)
    expect(() => frozenCopy({ ...old, constructor: Object }, 'metadata', mebibyte, before)).toThrow(/a function/)
  })
})
