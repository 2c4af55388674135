import { SessionError } from '@mcp-session/core'
import type { SessionBackend } from '@mcp-session/core/backend'
import { memoryBackend } from '@mcp-session/memory'
import { McpServer as McpServerV1 } from '@modelcontextprotocol/sdk/server/mcp.js'
import { McpServer as McpServerV2 } from '@modelcontextprotocol/server'
import { describe, expect, it } from 'vitest'
import { deferred } from '../src/deferred.ts'
import type { ConnectableServer } from '../src/index.ts'
import { connectClient } from './mcp-clients.ts'
import { type Holds, serverFactory } from './mcp-servers.ts'
import { holdingNode, startNode } from './nodes.ts'
import { rawClient, sseEvents } from './raw-client.ts'

function parsed(data: string | undefined): unknown {
  return JSON.parse(data ?? '')
}

describe('a POST with one request', () => {
  it('is answered as JSON when the answer comes soon', async () => {
    const node = await holdingNode()
    const client = await rawClient(node.url)
    const answer = await client.call('count')
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toBe('application/json')
    expect(answer.headers.get('mcp-session-id')).toBe(client.sessionId)
    expect(await answer.json()).toEqual({ jsonrpc: '2.0', id: 1, result: { content: [{ type: 'text', text: '1' }] } })
  })

  it('is answered by a primed SSE stream when the answer takes longer', async () => {
    const node = await holdingNode({ jsonWaitMs: 1 })
    const client = await rawClient(node.url)
    const answer = await client.post({ jsonrpc: '2.0', id: 7, method: 'tools/call', params: { name: 'hold', arguments: { word: 'late' } } })
    expect(answer.headers.get('content-type')).toBe('text/event-stream')
    expect(answer.headers.get('cache-control')).toContain('no-transform')
    const events = sseEvents(answer)
    const priming = await events.next()
    expect(priming).toEqual({ id: expect.stringMatching(/^\d+\.\d+\.1\.[\w-]{8}$/), retry: '50', data: '' })
    node.holds.get('late')?.()
    const last = await events.next()
    expect(parsed(last?.data)).toEqual({ jsonrpc: '2.0', id: 7, result: { content: [{ type: 'text', text: 'late' }] } })
    expect(last?.id).toMatch(/^\d+\.\d+\.0\./)
    expect(await events.next()).toBeUndefined()
  })

  it('becomes a stream at the first related message, which comes before the answer', async () => {
    const node = await holdingNode({ jsonWaitMs: 100_000 })
    const client = await rawClient(node.url)
    const answer = await client.call('hold', { word: 'steps' }, 'seven')
    expect(answer.headers.get('content-type')).toBe('text/event-stream')
    expect(await node.underway).toBe('hold steps')
    node.holds.get('steps')?.()
    const [priming, progress, last] = await sseEvents(answer).rest()
    expect(priming?.data).toBe('')
    expect(parsed(progress?.data)).toMatchObject({
      method: 'notifications/progress',
      params: { message: 'steps', progressToken: 'token seven' },
    })
    expect(parsed(last?.data)).toMatchObject({ id: 'seven', result: {} })
  })

  it('is a stream from the start where jsonWaitMs is 0', async () => {
    const node = await holdingNode({ jsonWaitMs: 0 })
    const client = await rawClient(node.url)
    const answer = await client.call('count')
    expect(answer.headers.get('content-type')).toBe('text/event-stream')
    expect(await sseEvents(answer).rest()).toHaveLength(2)
  })

  it('sends clients of older revisions no event without data', async () => {
    const node = await holdingNode({ jsonWaitMs: 0 })
    const client = await rawClient(node.url, { version: '2025-06-18' })
    const events = await sseEvents(await client.call('count')).rest()
    expect(events.map(({ id, data }) => [id === undefined, data === undefined])).toEqual([
      [true, true],
      [false, false],
    ])
    expect(events[0]?.retry).toBe('50')
  })

  it('is refused while a request with the same id runs', async () => {
    const node = await holdingNode()
    const client = await rawClient(node.url)
    const first = client.call('hold', { word: 'twice' }, 5)
    await node.underway
    const second = await client.call('count', {}, 5)
    expect(second.status).toBe(400)
    node.holds.get('twice')?.()
    expect(await sseEvents(await first).rest()).toHaveLength(3)
  })

  it('ends without an answer when the client cancels it', async () => {
    const node = await holdingNode({ jsonWaitMs: 0 })
    const client = await rawClient(node.url)
    const events = sseEvents(await client.call('hold', { word: 'never' }, 9))
    const priming = await events.next()
    await node.underway
    const cancelled = await client.post({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 9 } })
    expect(cancelled.status).toBe(202)
    expect((await events.rest()).map(({ data }) => data)).toEqual([expect.stringContaining('notifications/progress')])
    const resumed = await client.get({ 'last-event-id': priming?.id ?? '' })
    expect(resumed.status).toBe(200)
  })
})

describe('a request that is cancelled before it has an answer', () => {
  it('gets an empty stream', async () => {
    const node = await holdingNode({ jsonWaitMs: 60_000 })
    const client = await rawClient(node.url)
    const answer = client.post({ jsonrpc: '2.0', id: 3, method: 'tools/call', params: { name: 'hold', arguments: { word: 'gone' } } })
    await node.underway
    await client.post({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 3 } })
    expect((await answer).headers.get('content-type')).toBe('text/event-stream')
    expect(await sseEvents(await answer).rest()).toEqual([])
  })
})

describe('a batch', () => {
  const batch = [
    { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'count', arguments: {} } },
    { jsonrpc: '2.0', method: 'notifications/initialized' },
    { jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: 'count', arguments: {} } },
  ]

  it('is answered by a batch where the revision has them', async () => {
    const node = await holdingNode()
    const client = await rawClient(node.url, { version: '2025-03-26' })
    const answer = await client.post(batch)
    expect(answer.status).toBe(200)
    const answers: unknown = await answer.json()
    expect(answers).toEqual([expect.objectContaining({ id: 1 }), expect.objectContaining({ id: 2 })])
  })

  it('shares one stream that ends after the last answer', async () => {
    const node = await holdingNode({ jsonWaitMs: 1 })
    const client = await rawClient(node.url, { version: '2025-03-26' })
    const held = { jsonrpc: '2.0', id: 3, method: 'tools/call', params: { name: 'hold', arguments: { word: 'batch' } } }
    const answer = await client.post([...batch, held])
    await node.underway
    node.holds.get('batch')?.()
    const ids = (await sseEvents(answer).rest()).flatMap(({ data }) => (data === undefined ? [] : [parsed(data)]))
    expect(ids).toEqual([expect.objectContaining({ id: 1 }), expect.objectContaining({ id: 2 }), expect.objectContaining({ id: 3 })])
  })

  it.each(['2025-06-18', '2025-11-25'])('is a 400 in revision %s', async (version) => {
    const node = await holdingNode()
    const client = await rawClient(node.url, { version })
    expect((await client.post(batch)).status).toBe(400)
  })
})

describe('a message of the server', () => {
  it('is not sent, and its send does not resolve, before it is stored', async () => {
    const backend = memoryBackend()
    const { events } = backend
    if (events === undefined) throw new Error('memory has an event log')
    const { promise: appending, resolve: onAppend } = deferred<void>()
    const { promise: gate, resolve: open } = deferred<void>()
    const order: string[] = []
    const slow: SessionBackend = {
      ...backend,
      events: {
        ...events,
        async append(...given) {
          if (!given[1].stream.startsWith('!')) {
            onAppend()
            await gate
            order.push('stored')
          }
          return events.append(...given)
        },
      },
    }
    const node = await startNode(slow, { jsonWaitMs: 60_000 })
    const client = await rawClient(node.url)
    const stream = sseEvents(await client.get())
    await stream.next()
    const received = stream.next().then(() => order.push('received'))
    const answered = client.call('notify', { word: 'gated' }).then((answer) => {
      order.push('sent')
      return answer.text()
    })
    await appending
    // Whatever could overtake the append has had its turn when another request has gone the whole way.
    expect((await client.post({ jsonrpc: '2.0', id: 2, method: 'ping' })).status).toBe(200)
    expect(order).toEqual([])
    open()
    await Promise.all([received, answered])
    expect(order[0]).toBe('stored')
    await stream.cancel()
  })
})

describe('an answer that the log does not take', () => {
  it('reaches the client that listens, without an id', async () => {
    const backend = memoryBackend()
    const { promise: underway, resolve: onTool } = deferred<string>()
    const holds: Holds = new Map()
    const node = await startNode(backend, { server: serverFactory(2, { holds, onTool }), jsonWaitMs: 0 })
    const client = await rawClient(node.url)
    const events = sseEvents(await client.call('hold', { word: 'unlogged' }))
    await underway
    // Sessions and heartbeats have opened it.
    await backend.close()
    await backend.close()
    holds.get('unlogged')?.()
    const [, , last] = await events.rest()
    expect(last?.id).toBeUndefined()
    expect(last?.data).toContain('unlogged')
  })
})

describe('an answer that retention takes before its stream has read it', () => {
  it('is sent all the same', async () => {
    const { promise: bothRun, resolve: onBoth } = deferred<void>()
    const holds: Holds = new Map()
    const node = await startNode(memoryBackend(), {
      server: serverFactory(2, { holds, onTool: () => holds.size === 2 && onBoth() }),
      jsonWaitMs: 0,
      events: { maxEvents: 1 },
    })
    const client = await rawClient(node.url)
    const answers = [
      await client.post({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'hold', arguments: { word: 'first' } } }),
      await client.post({ jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: 'hold', arguments: { word: 'second' } } }),
    ]
    await bothRun
    // Both answers are in the log before either stream looks again, and the log keeps one event.
    for (const release of holds.values()) release()
    const [first, second] = await Promise.all(answers.map(async (answer) => (await sseEvents(answer).rest()).at(-1)))
    expect(first?.data).toContain('first')
    expect(first?.id).toMatch(/\.0\.[\w-]{8}$/)
    expect(second?.data).toContain('second')
  })
})

describe('a change of the protocol state that the store does not take', () => {
  it('is answered with an error, so that the request ends and may be repeated', async () => {
    const backend = memoryBackend()
    let isDown = false
    const failing: SessionBackend = {
      ...backend,
      async replace(...given) {
        if (isDown) throw new SessionError('MCP_SESSION_UNAVAILABLE', 'down for a moment')
        return backend.replace(...given)
      },
    }
    const node = await startNode(failing, { jsonWaitMs: 60_000 })
    const client = await rawClient(node.url)
    const setLevel = { jsonrpc: '2.0', id: 4, method: 'logging/setLevel', params: { level: 'error' } }
    isDown = true
    expect(await (await client.post(setLevel)).json()).toMatchObject({ id: 4, error: { code: -32603 } })
    expect(node.errors).toEqual([expect.objectContaining({ code: 'MCP_SESSION_UNAVAILABLE' })])
    isDown = false
    expect(await (await client.post(setLevel)).json()).toEqual({ jsonrpc: '2.0', id: 4, result: {} })
  })
})

describe('a server', () => {
  it.each([1, 2] as const)('of SDK v%i may end the response of a running call, and stock clients come back for the rest', async (major) => {
    const node = await startNode(memoryBackend(), { server: () => polling(major) })
    for (const stock of [1, 2] as const) {
      const client = await connectClient(stock, node.url)
      expect(await client.call('poll')).toBe('ended early')
      await client.close()
    }
  })
})

/** A server whose tool ends its own HTTP response before it answers. */
function polling(major: 1 | 2): ConnectableServer {
  const answer = { content: [{ type: 'text' as const, text: 'ended early' }] }
  if (major === 1) {
    const server = new McpServerV1({ name: 'polling', version: '1' })
    server.registerTool('poll', { inputSchema: {} }, (_, extra) => {
      if (extra.closeSSEStream === undefined) throw new Error('no closeSSEStream')
      extra.closeSSEStream()
      return answer
    })
    return server
  }
  const server = new McpServerV2({ name: 'polling', version: '1' })
  server.registerTool('poll', {}, ({ http }) => {
    if (http?.closeSSE === undefined) throw new Error('no closeSSE')
    http.closeSSE()
    return answer
  })
  return server
}
