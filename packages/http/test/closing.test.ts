import { memoryBackend } from '@mcp-session/memory'
import { describe, expect, it } from 'vitest'
import { deferred } from '../src/deferred.ts'
import { type ConnectableServer, createSessionHandler } from '../src/index.ts'
import { type Holds, serverFactory } from './mcp-servers.ts'
import { startNode } from './nodes.ts'
import { initializeBody, postRequest, rawClient, sseEvents } from './raw-client.ts'

describe('handler.close', () => {
  it('tells clients when to come back, and refuses new requests with 503', async () => {
    const node = await startNode(memoryBackend())
    const client = await rawClient(node.url)
    const stream = sseEvents(await client.get())
    await stream.next()
    const closed = node.handler.close()
    expect(await stream.next()).toEqual({ id: undefined, retry: '50', data: undefined })
    expect(await stream.next()).toBeUndefined()
    await closed
    const refused = await fetch(postRequest(node.url, initializeBody()))
    expect(refused.status).toBe(503)
    expect(refused.headers.get('retry-after')).toBe('1')
  })

  it('lets running calls finish', async () => {
    const holds: Holds = new Map()
    const { promise: underway, resolve: onTool } = deferred<string>()
    const node = await startNode(memoryBackend(), { server: serverFactory(2, { holds, onTool }), drainMs: 60_000 })
    const client = await rawClient(node.url)
    const events = sseEvents(await client.call('hold', { word: 'finish' }))
    await underway
    const closed = node.handler.close()
    holds.get('finish')?.()
    expect((await events.rest()).at(-1)?.data).toContain('finish')
    await closed
  })

  it('answers streamed calls that it gives up on with an error, and sends their clients away', async () => {
    const { promise: underway, resolve: onTool } = deferred<string>()
    const node = await startNode(memoryBackend(), { server: serverFactory(1, { onTool }), drainMs: 1, jsonWaitMs: 0 })
    const client = await rawClient(node.url)
    const events = sseEvents(await client.call('hold', { word: 'never' }))
    await underway
    await node.handler.close()
    expect(JSON.parse((await events.rest()).at(-1)?.data ?? '')).toEqual({
      jsonrpc: '2.0',
      id: 1,
      error: { code: -32000, message: expect.stringContaining('gone') },
    })
  })

  it('answers a call that it gives up on with 503, so that the client keeps its session', async () => {
    const { promise: underway, resolve: onTool } = deferred<string>()
    const backend = memoryBackend()
    await backend.open()
    const node = await startNode(backend, { server: serverFactory(2, { onTool }), drainMs: 1, jsonWaitMs: 60_000 })
    const client = await rawClient(node.url)
    const answer = client.post({ jsonrpc: '2.0', id: 3, method: 'tools/call', params: { name: 'hold', arguments: { word: 'cut' } } })
    await underway
    await node.handler.close()
    expect((await answer).status).toBe(503)
    await backend.close()
  })

  it('does not wait for a factory beyond the deadline, and closes the server that comes late', async () => {
    const { promise: late, resolve: comeLate } = deferred<ConnectableServer>()
    const { promise: asked, resolve: onAsked } = deferred<void>()
    const { promise: closed, resolve: onClosed } = deferred<string>()
    const node = await startNode(memoryBackend(), {
      drainMs: 1,
      server() {
        onAsked()
        return late
      },
    })
    const answer = fetch(postRequest(node.url, initializeBody()))
    await asked
    await node.handler.close()
    comeLate({ connect: async () => {}, close: async () => onClosed('closed') })
    expect(await closed).toBe('closed')
    expect((await answer).status).toBe(503)
  })

  it('may be called twice', async () => {
    const node = await startNode(memoryBackend())
    await Promise.all([node.handler.close(), node.handler.close()])
    await node.handler.close()
  })
})

describe('createSessionHandler', () => {
  it('refuses a backend without an event log, and closes it again', async () => {
    const backend = memoryBackend()
    const { events: _without, ...mute } = backend
    await expect(
      createSessionHandler({ backend: mute, server: () => serverFactory(1)(Object.create(null)), principal: 'anonymous' }),
    ).rejects.toThrow(/memory has no event log/)
    await backend.open()
    await backend.close()
  })
})
