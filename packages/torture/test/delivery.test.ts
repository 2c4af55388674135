import { describe, expect, it } from 'vitest'
import { delivery, missing } from '../src/delivery.ts'

const message = (incarnation: number, n: number) => ({ incarnation, n })
const given = (inTurn: boolean, ...messages: readonly unknown[]) => {
  const taken = delivery({ inTurn })
  for (const one of messages) taken.take(one)
  return taken
}

describe('delivery', () => {
  it('finds nothing where all came once and in order, also what was not acknowledged', () => {
    const taken = given(true, message(0, 1), message(0, 2), message(2, 1))
    expect(missing([message(0, 1), message(2, 1)], taken)).toEqual([])
    expect(taken.violations).toEqual([])
    expect(taken.count).toBe(3)
  })

  it('finds what was acknowledged and did not come', () => {
    const acknowledged = [message(0, 1), message(0, 2), message(0, 3)]
    const absent = 'message 0/2 was acknowledged and did not come'
    expect(missing(acknowledged, given(true, message(0, 1), message(0, 3)))).toEqual([absent])
    expect(missing(acknowledged, given(true, message(0, 1)), given(true, message(0, 3)))).toEqual([absent])
    expect(missing(acknowledged, given(true, message(0, 1)), given(true, message(0, 2), message(0, 3)))).toEqual([])
  })

  it('finds what came twice', () => {
    expect(given(true, message(0, 1), message(0, 2), message(0, 1)).violations).toEqual(['message 0/1 came twice'])
  })

  it('finds what came out of order, in one process and across restarts', () => {
    expect(given(true, message(0, 2), message(0, 1)).violations).toEqual(['message 0/1 came after 0/2'])
    expect(given(true, message(1, 1), message(0, 2)).violations).toEqual(['message 0/2 came after 1/1'])
  })

  it('lets processes side by side send as they like, each in its own order', () => {
    expect(given(false, message(1, 1), message(0, 1), message(1, 2)).violations).toEqual([])
    expect(given(false, message(1, 2), message(0, 1), message(1, 1)).violations).toEqual(['message 1/1 came after 1/2'])
  })

  it('finds what nobody sent', () => {
    expect(given(true, 'hello').violations).toEqual(['a message came that nobody sent: "hello"'])
  })
})
