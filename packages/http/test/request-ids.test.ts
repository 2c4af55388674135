import { describe, expect, it } from 'vitest'
import { requestIds } from '../src/request-ids.ts'

const mine = requestIds('mine')
const other = requestIds('other')

describe('outgoing request ids', () => {
  it.each([0, 7, -1, 'seven', '0', 'a:b"\\'])('lead back to the server’s own id %j, and to that server only', (id) => {
    const sent = mine.outgoing({ jsonrpc: '2.0', id, method: 'roots/list' })
    expect(sent.id).not.toBe(id)
    expect(mine.own(sent.id)).toBe(id)
    expect(other.own(sent.id)).toBeUndefined()
  })

  it('go with a progress token that leads back as well, and nothing else is changed', () => {
    const sent = mine.outgoing({
      jsonrpc: '2.0',
      id: 3,
      method: 'sampling/createMessage',
      params: { x: 1, _meta: { progressToken: 3, y: 2 } },
    })
    expect(sent.params).toEqual({ x: 1, _meta: { progressToken: expect.any(String), y: 2 } })
    const meta = sent.params?.['_meta']
    expect(mine.own(typeof meta === 'object' && meta !== null && 'progressToken' in meta ? meta.progressToken : undefined)).toBe(3)
  })

  it('are what a cancellation names', () => {
    const sent = mine.outgoing({ jsonrpc: '2.0', id: 4, method: 'roots/list' })
    const params = { requestId: 4, reason: 'late' }
    expect(mine.outgoingNotification({ jsonrpc: '2.0', method: 'notifications/cancelled', params }).params).toEqual({
      ...params,
      requestId: sent.id,
    })
    const untouched = { jsonrpc: '2.0' as const, method: 'notifications/message', params: { requestId: 4 } }
    expect(mine.outgoingNotification(untouched)).toBe(untouched)
  })

  it.each([undefined, null, 0, '', 'mine:', 'mine:{}', 'mine:null', 'mine:1.5', 'mine:x', 'min'])('are never read out of %j', (id) => {
    expect(mine.own(id)).toBeUndefined()
  })
})
