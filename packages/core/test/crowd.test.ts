import fc from 'fast-check'
import { expect, it } from 'vitest'
import { crowd } from '../src/crowd.ts'

it('holds those that entered and did not leave, however often they leave', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(9))), (steps) => {
      const { members, enter, leave } = crowd<{ name: number; place: number }>()
      const all = Array.from({ length: 10 }, (_, name) => ({ name, place: -1 }))
      const expected = new Set<number>()
      for (const [enters, name] of steps) {
        const member = all[name]
        if (member === undefined) continue
        if (!enters) leave(member)
        else if (!expected.has(name)) enter(member)
        if (enters) expected.add(name)
        else expected.delete(name)
        expect(new Set(members.map((each) => each.name))).toEqual(expected)
        for (const each of all) expect(each.place).toBe(expected.has(each.name) ? members.indexOf(each) : -1)
      }
    }),
  )
})
