import type { SessionBackend } from '@mcp-session/core/backend'
import { McpServer as McpServerV1 } from '@modelcontextprotocol/sdk/server/mcp.js'
import { McpServer as McpServerV2 } from '@modelcontextprotocol/server'
import { describe, expect, it } from 'vitest'
import { deferred } from '../src/deferred.ts'
import { cutLine } from './cut-line.ts'
import { type Holds, serverFactory } from './mcp-servers.ts'
import { holdingNode, startNode } from './nodes.ts'
import { knownSession, rawClient, type SseEvent, sseEvents } from './raw-client.ts'
import { sharedEngines, sharedStore } from './shared-store.ts'

function dataOf(events: readonly SseEvent[]): unknown[] {
  return events.filter(({ data }) => data !== '' && data !== undefined).map(({ data }) => JSON.parse(data ?? ''))
}

const notKept = { jsonrpc: '2.0', id: 1, error: { code: -32000, message: 'The answer is not kept any more' } }

describe('a stream whose answer is too old to be shown, and still in the log', () => {
  it.each(['memory', ...sharedEngines] as const)('ends with an error on %s, and the node goes on', { timeout: 30_000 }, async (engine) => {
    const clock = { now: 1_000_000 }
    const node = await startNode((await sharedStore(engine))(), { jsonWaitMs: 0, now: () => clock.now, events: { maxAgeMs: 1_000 } })
    const client = await rawClient(node.url)
    const [priming] = await sseEvents(await client.call('count')).rest()
    clock.now += 1_001
    const resumed = await client.get({ 'last-event-id': priming?.id ?? '' })
    expect(dataOf(await sseEvents(resumed).rest())).toEqual([notKept])
  })
})

describe('list_changed, which the SDKs send without waiting', () => {
  it.each([1, 2] as const)('harms nobody after the session has ended, SDK v%i', async (major) => {
    const { promise: underway, resolve: onTool } = deferred<void>()
    const { promise: gate, resolve: open } = deferred<void>()
    const { promise: through, resolve: onThrough } = deferred<void>()
    const node = await startNode((await sharedStore('memory'))(), {
      server() {
        const server = major === 1 ? new McpServerV1({ name: 'x', version: '1' }) : new McpServerV2({ name: 'x', version: '1' })
        server.server.registerCapabilities({ tools: { listChanged: true } })
        const change = async () => {
          onTool()
          await gate
          server.sendToolListChanged()
          onThrough()
          return { content: [] }
        }
        if (server instanceof McpServerV1) server.registerTool('change', {}, change)
        else server.registerTool('change', {}, change)
        return server
      },
    })
    const rejections: unknown[] = []
    const onRejection = (error: unknown): number => rejections.push(error)
    process.on('unhandledRejection', onRejection)
    const client = await rawClient(node.url)
    const answer = client.call('change')
    await underway
    await node.handler.sessions.getBackend().delete(client.sessionId, undefined, { now: Date.now(), deadlineAt: Number.POSITIVE_INFINITY })
    open()
    await through
    await (await answer).body?.cancel()
    // A rejection that nobody handles is told before a whole request is through.
    await (await rawClient(node.url)).delete()
    process.off('unhandledRejection', onRejection)
    expect(rejections).toEqual([])
  })
})

describe('what a client sends for servers elsewhere', () => {
  it('is not kept where no server can wait for it, and cut where it says more than it needs', async () => {
    const store = await sharedStore('memory')
    const backend = store()
    const node = await startNode(backend)
    const client = await rawClient(node.url)
    const big = 'x'.repeat(100_000)
    const sent = [
      { jsonrpc: '2.0', id: 7, result: { big } },
      { jsonrpc: '2.0', id: 'not:ours', result: { big } },
      { jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: 7, progress: 1, message: big } },
      { jsonrpc: '2.0', method: 'notifications/cancelled', params: { reason: big } },
      { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 7, reason: big } },
    ]
    for (const message of sent) expect((await client.post(message)).status).toBe(202)
    const query = { after: 0, limit: 100, maxAgeMs: Number.POSITIVE_INFINITY }
    const page = await node.handler.sessions.events?.read(client.sessionId, query)
    expect(page?.events).toHaveLength(1)
    expect(page?.events[0]?.data.length).toBeLessThan(2_000)
    expect((await client.post({ jsonrpc: '2.0', id: big, method: 'ping' })).status).toBe(400)
  })

  it('is passed on from a batch with a request as well', async () => {
    const store = await sharedStore('memory')
    const asking = await startNode(store(), { server: serverFactory(1) })
    const other = await startNode(store(), { server: serverFactory(2) })
    const client = await rawClient(asking.url, { version: '2025-03-26', capabilities: { roots: {} } })
    const events = sseEvents(await client.call('ask', { word: 'roots:' }))
    let question: SseEvent | undefined
    do question = await events.next()
    while (question?.data === undefined || question.data === '')
    const { id } = JSON.parse(question.data)
    const elsewhere = knownSession(other.url, client.sessionId, { version: '2025-03-26' })
    const batch = [
      { jsonrpc: '2.0', id: 'ping', method: 'ping' },
      { jsonrpc: '2.0', id, result: { roots: [{ uri: 'file:///batched' }] } },
    ]
    expect(await (await elsewhere.post(batch)).json()).toEqual([{ jsonrpc: '2.0', id: 'ping', result: {} }])
    expect((await events.next())?.data).toContain('roots: file:///batched')
  })
})

describe('an answer that the log does not take', () => {
  it('is kept when the store is back, for the client that resumes elsewhere', async () => {
    const holds: Holds = new Map()
    const { promise: underway, resolve: onTool } = deferred<string>()
    const store = await sharedStore('memory')
    const line = cutLine(store())
    const running = await startNode(line.backend, { server: serverFactory(2, { holds, onTool }), jsonWaitMs: 0, orphanAfterMs: 60_000 })
    const other = await startNode(store(), { orphanAfterMs: 60_000 })
    const client = await rawClient(running.url)
    const lost = sseEvents(await client.call('hold', { word: 'kept' }))
    const priming = await lost.next()
    await underway
    await lost.cancel()
    const resumed = sseEvents(await knownSession(other.url, client.sessionId).get({ 'last-event-id': priming?.id ?? '' }))
    line.cut()
    holds.get('kept')?.()
    await line.failed()
    line.restore()
    expect(dataOf(await resumed.rest()).at(-1)).toMatchObject({ id: 1, result: {} })
  })

  it('because it is too large is replaced by an error, and reaches whoever listens on its node whole', async () => {
    const store = await sharedStore('memory')
    const large = () => {
      const server = new McpServerV2({ name: 'large', version: '1' })
      server.registerTool('large', {}, () => ({ content: [{ type: 'text', text: 'x'.repeat(4_400_000) }] }))
      return server
    }
    const running = await startNode(store(), { server: large, jsonWaitMs: 0 })
    const other = await startNode(store())
    const client = await rawClient(running.url)
    const [priming, whole] = await sseEvents(await client.call('large')).rest()
    expect(whole?.data?.length).toBeGreaterThan(4_400_000)
    const resumed = await knownSession(other.url, client.sessionId).get({ 'last-event-id': priming?.id ?? '' })
    expect(dataOf(await sseEvents(resumed).rest())).toEqual([
      { jsonrpc: '2.0', id: 1, error: { code: -32000, message: 'The answer is too large to be kept' } },
    ])
  })
})

describe('a call that runs on a living node', () => {
  it('is not lost because retention has taken all that it sent, wherever its client resumes', async () => {
    const holds: Holds = new Map()
    const { promise: underway, resolve: onTool } = deferred<string>()
    const store = await sharedStore('memory')
    const events = { maxEvents: 3 }
    const running = await startNode(store(), { server: serverFactory(1, { holds, onTool }), jsonWaitMs: 0, events })
    const { promise: confirmed, resolve: onConfirmed } = deferred<void>()
    const watching = (backend: SessionBackend): SessionBackend => ({
      ...backend,
      get info() {
        return backend.info
      },
      ...(backend.events === undefined
        ? {}
        : {
            events: {
              ...backend.events,
              async read(...given) {
                const page = await backend.events?.read(...given)
                if (page?.events.some(({ key }) => key.startsWith('runs.'))) onConfirmed()
                return page
              },
            },
          }),
    })
    const other = await startNode(watching(store()), { events })
    const client = await rawClient(running.url)
    const lost = sseEvents(await client.call('hold', { word: 'alive' }))
    const priming = await lost.next()
    await lost.next()
    await underway
    await lost.cancel()
    for (const word of ['a', 'b', 'c', 'd']) await sseEvents(await client.call('notify', { word }, word)).rest()
    const resumed = sseEvents(await knownSession(other.url, client.sessionId).get({ 'last-event-id': priming?.id ?? '' }))
    await confirmed
    holds.get('alive')?.()
    expect(dataOf(await resumed.rest())).toEqual([{ jsonrpc: '2.0', id: 1, result: { content: [{ type: 'text', text: 'alive' }] } }])
  })

  it('is not lost because the store was away for longer than orphanAfterMs', async () => {
    const holds: Holds = new Map()
    const { promise: underway, resolve: onTool } = deferred<string>()
    const store = await sharedStore('memory')
    const clock = { now: 1_000_000 }
    const lines = [cutLine(store()), cutLine(store())] as const
    const timing = { orphanAfterMs: 400, now: () => clock.now, jsonWaitMs: 0 }
    const running = await startNode(lines[0].backend, { ...timing, server: serverFactory(1, { holds, onTool }) })
    const other = await startNode(lines[1].backend, timing)
    const client = await rawClient(running.url)
    const lost = sseEvents(await client.call('hold', { word: 'patient' }))
    const priming = await lost.next()
    await underway
    await lost.cancel()
    const resumed = sseEvents(await knownSession(other.url, client.sessionId).get({ 'last-event-id': priming?.id ?? '' }))
    expect((await resumed.next())?.data).toBe('')
    for (const line of lines) line.cut()
    await lines[1].failed()
    clock.now += 10_000
    // The one that waits is back first, and finds the record of the other one expired.
    lines[1].restore()
    lines[0].restore()
    const rest = resumed.rest()
    // Longer than two looks at a dead node are apart.
    for (let count = 0; count < 10; count += 1) await lines[0].renewed()
    holds.get('patient')?.()
    expect(dataOf(await rest).at(-1)).toMatchObject({ id: 1, result: {} })
  })
})

describe('a server that ends its session while another call runs', () => {
  it('gives that call as long as a drain takes, and no longer', async () => {
    const { promise: underway, resolve: onTool } = deferred<string>()
    const node = await startNode((await sharedStore('memory'))(), { server: serverFactory(2, { onTool }), drainMs: 20, jsonWaitMs: 60_000 })
    const client = await rawClient(node.url)
    const params = { name: 'hold', arguments: { word: 'never' } }
    const other = client.post({ jsonrpc: '2.0', id: 2, method: 'tools/call', params })
    await underway
    await (await client.call('end')).text()
    expect((await other).status).toBe(404)
  })
})

describe('a server whose onclose throws', () => {
  it('leaves no call waiting', async () => {
    const { promise: underway, resolve: onTool } = deferred<string>()
    const node = await startNode((await sharedStore('memory'))(), {
      async server(context) {
        const server = await serverFactory(1, { onTool })(context)
        if (server instanceof McpServerV1) {
          server.server.onclose = () => {
            throw new Error('thrown by onclose')
          }
        }
        return server
      },
    })
    const client = await rawClient(node.url)
    const events = sseEvents(await client.call('hold', { word: 'never' }))
    await events.next()
    await underway
    expect((await client.delete()).status).toBe(200)
    await events.rest()
    expect(node.errors.map(String)).toContain('Error: thrown by onclose')
  })
})

describe('handler.close', () => {
  it('ends streams that are opened while it closes', async () => {
    const { promise: gate, resolve: open } = deferred<void>()
    const { promise: listening, resolve: onListen } = deferred<void>()
    const backend = (await sharedStore('memory'))()
    const { events: log } = backend
    if (log === undefined) throw new Error('memory has an event log')
    const slow: SessionBackend = {
      ...backend,
      get info() {
        return backend.info
      },
      events: {
        ...log,
        async append(...given) {
          if (given[1].stream === '!listened') {
            onListen()
            await gate
          }
          return log.append(...given)
        },
      },
    }
    const node = await holdingNode()
    const closing = await startNode(slow, { drainMs: 1 })
    const client = await rawClient(closing.url)
    const stream = client.get()
    await listening
    const closed = closing.handler.close()
    await node.handler.sessions.count()
    open()
    const answer = await stream
    if (answer.status === 200) await sseEvents(answer).rest()
    await closed
  })
})

describe('onError', () => {
  it('may throw: the request is answered all the same', async () => {
    const node = await startNode((await sharedStore('memory'))(), {
      server() {
        throw new Error('factory')
      },
      onError() {
        throw new Error('onError')
      },
    })
    await expect(rawClient(node.url)).rejects.toThrow(/initialize: 500/)
  })
})
