import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { editedText } from '../src/edited-text.ts'

function textOf(value: unknown): string {
  return `j${JSON.stringify(value)}`
}

/** Few keys and few values, so that they meet again and again, also inside of texts. */
const leaf = fc.constantFrom<unknown>(0, 1, 12, -1, 1.5, true, false, null, '', 'a', '1', '"a":1', 'a"', '\\', '\ud800', 'ł')
const { json } = fc.letrec<{ json: unknown }>((tie) => ({
  json: fc.oneof({ weight: 2, arbitrary: leaf }, fc.array(tie('json'), { maxLength: 3 }), members(tie('json'))),
}))

function members(value: fc.Arbitrary<unknown>): fc.Arbitrary<Record<string, unknown>> {
  return fc
    .uniqueArray(fc.tuple(fc.constantFrom('a', 'b', 'a,b', '', '0', '1', '$'), value), { selector: ([key]) => key, maxLength: 4 })
    .map((entries) => Object.fromEntries(entries))
}

/** The same value with some of its leaves replaced; what is not touched is the very same object. */
function edited(value: unknown, choose: (most: number) => number): unknown {
  if (typeof value !== 'object' || value === null) return [0, 12, 'a', null, false][choose(4)]
  if (Array.isArray(value)) return value.map((item) => (choose(2) === 0 ? edited(item, choose) : item))
  const entries = Object.entries(value)
  const at = choose(Math.max(0, entries.length - 1))
  return Object.fromEntries(entries.map(([key, item], n) => [key, n === at || choose(5) === 0 ? edited(item, choose) : item]))
}

describe('editedText', () => {
  it('gives the text of the value after any edit, or none', () => {
    fc.assert(
      fc.property(json, fc.gen(), (before, gen) => {
        const after = edited(before, (most) => gen(fc.nat, { max: most }))
        expect([undefined, textOf(after)]).toContain(editedText(textOf(before), before, after))
      }),
      { numRuns: 3_000 },
    )
  })

  it('gives the text of another value, or none', () => {
    fc.assert(
      fc.property(json, json, (before, after) => {
        expect([undefined, textOf(after)]).toContain(editedText(textOf(before), before, after))
      }),
      { numRuns: 3_000 },
    )
  })

  const old = { user: { name: 'ł', age: 1 }, list: [{ age: 2 }], count: 10, note: null as unknown }

  it.each([
    ['at the top', { ...old, count: 11 }],
    ['further down', { ...old, user: { ...old.user, name: 'a "quoted" $& text\n' } }],
    ['to an object', { ...old, note: { deep: [1] } }],
    ['from and to null', { ...old, count: null }],
  ])('makes the text of one primitive value edited %s', (_where, after) => {
    expect(editedText(textOf(old), old, after)).toBe(textOf(after))
  })

  it.each([
    ['stands in two places', { a: { n: 1 }, b: { n: 1 } }, { a: { n: 2 }, b: { n: 1 } }],
    ['begins like another one', { a: { n: 1 }, b: { n: 12 } }, { a: { n: 2 }, b: { n: 12 } }],
    ['has come', { a: 1 }, { a: 1, b: 2 }],
    ['has gone', { a: 1, b: 2 }, { a: 1 }],
    ['has moved', { a: 1, b: 2 }, { b: 2, a: 1 }],
    ['is one of two', { a: 1, b: 2 }, { a: 2, b: 3 }],
    ['is in a list', { a: [1] }, { a: [2] }],
    ['is in a list that looks like an object', [5, { 0: 5 }], [6, { 0: 5 }]],
    ['is no other one', { a: 1 }, { a: 1 }],
  ])('leaves a value to be written anew where a member %s', (_what, before, after) => {
    expect(editedText(textOf(before), before, after)).toBeUndefined()
  })

  it('leaves a text alone that is not plain JSON', () => {
    expect(editedText('t{"a":1}', { a: 1 }, { a: 2 })).toBeUndefined()
  })
})
