import { expect, test } from 'vitest'
import { frozenJson } from '../src/frozen-json.ts'

test('every object and array of the text is frozen, at any depth', () => {
  const value = frozenJson('{"a":{"b":[1,{"c":[]}]},"d":"e","f":null}')
  expect(value).toEqual({ a: { b: [1, { c: [] }] }, d: 'e', f: null })
  const found: unknown[] = [value]
  for (const one of found) {
    if (typeof one !== 'object' || one === null) continue
    expect(Object.isFrozen(one)).toBe(true)
    found.push(...Object.values(one))
  }
  expect(found).toHaveLength(8)
})

test('an own __proto__ is refused wherever it stands, and so is what is no JSON', () => {
  expect(() => frozenJson('{"a":[{"__proto__":{"admin":true}}]}')).toThrow(/__proto__/)
  expect(() => frozenJson('{"a":[{"\\u005f_proto__":1}]}')).toThrow(/__proto__/)
  expect(frozenJson('{"a":"__proto__","b":"\\u0007"}')).toEqual({ a: '__proto__', b: '\u0007' })
  expect(() => frozenJson('{"a":')).toThrow(SyntaxError)
})
