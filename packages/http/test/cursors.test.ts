import { describe, expect, it } from 'vitest'
import { cursorsOf, streamName } from '../src/cursors.ts'

const mine = cursorsOf('s_mine')

describe('event ids', () => {
  it('lead back to where they come from', () => {
    const places = [
      { opening: 0, sequence: 0, unanswered: Number.POSITIVE_INFINITY },
      { opening: 0, sequence: 2 ** 53 - 1, unanswered: Number.POSITIVE_INFINITY },
      { opening: 17, sequence: 17, unanswered: 100 },
      { opening: 17, sequence: 19, unanswered: 0 },
    ]
    for (const place of places) expect(mine.decode(mine.encode(place))).toEqual(place)
  })

  it('are unique over all streams of a session', () => {
    const id = (opening: number, sequence: number) => mine.encode({ opening, sequence, unanswered: 1 })
    expect(id(1, 11)).not.toBe(id(11, 11))
    expect(streamName(0)).not.toBe(streamName(1))
  })

  it('of another session mean nothing', () => {
    expect(cursorsOf('s_other').decode(mine.encode({ opening: 1, sequence: 2, unanswered: 1 }))).toBeUndefined()
  })

  it('do not show the session id', () => {
    const id = `s_${'secret'.repeat(7)}x`
    expect(cursorsOf(id).encode({ opening: 1, sequence: 2, unanswered: 1 })).not.toContain('secret')
  })

  it.each(['', '1', '1.2', '01.2.0', '-1.2.0', '1.5.0.5', '2.1.0', '1e3.2.0', '99999999999999999.99999999999999999.0', '1.2.0 '])(
    'are nothing else: %s',
    (text) => {
      const tag = mine.encode({ opening: 0, sequence: 0, unanswered: 1 }).split('.')[3]
      expect(mine.decode(text)).toBeUndefined()
      expect(mine.decode(`${text}.${tag}`)).toBeUndefined()
    },
  )
})
