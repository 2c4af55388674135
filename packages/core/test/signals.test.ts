import { describe, expect, it } from 'vitest'
import { fails, parked } from './reactions.ts'
import { failure, openStore, present, sessionFailure } from './store.ts'

async function signalStore(options: Parameters<typeof openStore>[0] = {}) {
  const store = await openStore(options)
  return { ...store, signals: present(store.sessions.signals) }
}

describe('signals', () => {
  it('reach each listener of their channel until it stops', async () => {
    const { signals } = await signalStore()
    const heard: string[] = []
    const stopA = await signals.subscribe('c', (message) => void heard.push(`a ${message}`))
    await signals.subscribe('c', (message) => void heard.push(`b ${message}`))
    await signals.subscribe('other', (message) => void heard.push(`other ${message}`))
    await signals.publish('c', 'one')
    await stopA()
    await stopA()
    await signals.publish('c', 'two')
    expect(heard).toEqual(['a one', 'b one', 'b two'])
  })

  it('are heard by nobody after close', async () => {
    const { signals, sessions, backend } = await signalStore()
    const heard: unknown[] = []
    await signals.subscribe('c', (message) => void heard.push(message))
    await sessions.close()
    await backend.signals?.publish('c', 'late', { now: 0, deadlineAt: Number.POSITIVE_INFINITY })
    expect(heard).toEqual([])
    expect(await sessionFailure(signals.publish('c', 'm'))).toMatchObject({ code: 'MCP_SESSION_CLOSED' })
    expect(await sessionFailure(signals.subscribe('c', () => {}))).toMatchObject({ code: 'MCP_SESSION_CLOSED' })
  })

  it('a listener that throws harms nobody and is reported', async () => {
    const { signals, reported } = await signalStore()
    const heard: unknown[] = []
    const error = new Error('mine')
    await signals.subscribe('c', () => {
      throw error
    })
    await signals.subscribe('c', (message) => void heard.push(message))
    await signals.publish('c', 'm')
    expect([heard, reported]).toEqual([['m'], [error]])
  })

  it('a subscription that begins after its deadline is given back', async () => {
    const { signals, backend } = await signalStore({ callTimeoutMs: 25 })
    const { reaction, release } = parked()
    backend.once('subscribe', reaction)
    const heard: unknown[] = []
    expect(await sessionFailure(signals.subscribe('c', (message) => void heard.push(message)))).toMatchObject({
      code: 'MCP_SESSION_TIMEOUT',
    })
    release()
    await new Promise<void>((resolve) => setImmediate(resolve))
    await signals.publish('c', 'm')
    expect(heard).toEqual([])
  })

  it.each([
    ['channel', '', 'm'],
    ['channel', 'x'.repeat(256), 'm'],
    ['message', 'c', ''],
    ['message', 'c', 'é'.repeat(513)],
  ])('refuse a %s of a wrong length', async (what, channel, message) => {
    const { signals, backend } = await signalStore()
    expect(await failure(signals.publish(channel, message))).toMatchObject({ name: 'RangeError', message: expect.stringContaining(what) })
    expect(backend.count('publish')).toBe(0)
  })

  it('accept a channel of 255 characters and a message of 1 KiB', async () => {
    const { signals } = await signalStore()
    const heard: unknown[] = []
    await signals.subscribe('é'.repeat(255), (message) => void heard.push(message))
    await signals.publish('é'.repeat(255), 'x'.repeat(1_024))
    expect(heard).toEqual(['x'.repeat(1_024)])
  })

  it('refuse what is no text and no listener', async () => {
    const { signals, backend } = await signalStore()
    expect(await failure(signals.publish(5 as unknown as string, 'm'))).toBeInstanceOf(TypeError)
    expect(await failure(signals.subscribe('c', 5 as unknown as () => void))).toBeInstanceOf(TypeError)
    expect(backend.count('publish') + backend.count('subscribe')).toBe(0)
  })

  it('fail as typed errors', async () => {
    const { signals, backend } = await signalStore()
    backend.once('publish', fails(new Error('x')))
    expect(await sessionFailure(signals.publish('c', 'm'))).toMatchObject({ code: 'MCP_SESSION_INTERNAL' })
  })
})
