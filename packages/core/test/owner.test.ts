import { describe, expect, it } from 'vitest'
import { isPlainText } from '../src/arguments.ts'
import { checkOwner, givenOwner, isSameOwner } from '../src/owner.ts'
import { openStore } from './store.ts'

describe('an owner', () => {
  it.each([null, 'alice', ' ', '["https://issuer","alice","client"]', 'a\nb', '😀', 'x'.repeat(1_024), 'é'.repeat(512)])(
    'can be %j',
    (owner) => {
      expect(checkOwner(owner)).toBe(owner)
    },
  )

  it.each(['', 'x'.repeat(1_025), 'é'.repeat(513), 'a\0b', '\ud800', 'x\udc00y'])('cannot be %j', (owner) => {
    expect(() => checkOwner(owner)).toThrow(RangeError)
    expect(() => checkOwner(owner, 'newOwner')).toThrow(/^newOwner must/)
  })

  it.each([5, undefined, {}, true])('that is %s is a TypeError', (owner) => {
    expect(() => checkOwner(owner)).toThrow(TypeError)
  })
})

describe('options', () => {
  it('that leave the owner out ask for no check, and those with null for unowned sessions', () => {
    expect(givenOwner({})).toBeUndefined()
    expect(givenOwner({ owner: null })).toEqual({ owner: null })
    expect(givenOwner({ owner: 'alice' })).toEqual({ owner: 'alice' })
  })

  it('whose owner is undefined are a TypeError: what should have named a principal did not', async () => {
    const { sessions } = await openStore()
    const { id } = await sessions.create({}, { owner: 'alice' })
    // As it comes from JavaScript: TypeScript refuses it.
    const nobody: object = { owner: undefined }
    const calls = [
      sessions.retrieve(id, nobody),
      sessions.update(id, (metadata) => metadata, nobody),
      sessions.delete(id, nobody),
      sessions.consume(id, nobody),
      sessions.touch(id, nobody),
      sessions.create({}, nobody),
      sessions.list(nobody),
      sessions.count(nobody),
      sessions.iterate(nobody).next(),
    ]
    for (const call of calls) await expect(call).rejects.toThrow(/^owner is undefined/)
    await expect(sessions.rotate(id, { newOwner: undefined } as object)).rejects.toThrow(/^newOwner is undefined/)
    expect(await sessions.retrieve(id, { owner: 'alice' })).toBeDefined()
  })
})

describe('the comparison', () => {
  it('tells equal owners from all others', () => {
    const owners = [null, 'null', 'alice', 'Alice', 'alice ', 'alic', '=', '=alice', 'é', 'e\u0301']
    for (const [a, one] of owners.entries()) {
      for (const [b, other] of owners.entries()) expect(isSameOwner(one, other)).toBe(a === b)
    }
  })

  it('compares texts of any length', () => {
    expect(isSameOwner('x'.repeat(1_024), 'x'.repeat(1_024))).toBe(true)
    expect(isSameOwner('x'.repeat(1_024), 'x')).toBe(false)
  })
})

it('tells plain text from lone surrogates and NUL', () => {
  expect(['', 'a', '😀', '\ud83d\ude00'].every(isPlainText)).toBe(true)
  expect(['\ud83d', '\ude00', '\ude00\ud83d', 'a\ud83db', '😀\ud83d', 'a\0'].some(isPlainText)).toBe(false)
})
