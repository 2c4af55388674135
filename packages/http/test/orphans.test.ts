import type { SessionBackend } from '@mcp-session/core/backend'
import { McpServer } from '@modelcontextprotocol/server'
import { describe, expect, it } from 'vitest'
import { deferred } from '../src/deferred.ts'
import { cutLine } from './cut-line.ts'
import { type Holds, serverFactory } from './mcp-servers.ts'
import { startNode, type TestNode } from './nodes.ts'
import { knownSession, type RawClient, rawClient, type SseEvent, sseEvents } from './raw-client.ts'
import { sharedStore } from './shared-store.ts'

const gone = { jsonrpc: '2.0', id: 1, error: { code: -32000, message: expect.stringContaining('gone') } }

/** A node that runs the call `hold`, one beside it on the same store, and a client that has lost the stream of the call. */
async function interrupted(line: (backend: SessionBackend) => SessionBackend = (backend) => backend) {
  const { promise: underway, resolve: onTool } = deferred<string>()
  const holds: Holds = new Map()
  const orphaned: unknown[] = []
  const store = await sharedStore('memory')
  const timing = { orphanAfterMs: 200, jsonWaitMs: 0 }
  const running = await startNode(line(store()), { ...timing, server: serverFactory(1, { holds, onTool }) })
  const other = await startNode(store(), { ...timing, hooks: { orphaned: (event) => orphaned.push(event) } })
  const client = await rawClient(running.url)
  const lost = sseEvents(await client.call('hold', { word: 'held' }))
  const priming = await lost.next()
  await lost.next()
  await underway
  await lost.cancel()
  return { running, other, client, holds, orphaned, priming }
}

function resume(node: TestNode, client: RawClient, from: SseEvent | undefined) {
  return knownSession(node.url, client.sessionId).get({ 'last-event-id': from?.id ?? '' })
}

function dataOf(events: readonly SseEvent[]): unknown[] {
  return events.filter(({ data }) => data !== '' && data !== undefined).map(({ data }) => JSON.parse(data ?? ''))
}

describe('a call whose node is gone', () => {
  it('ends with an error on the node where its client resumes, which tells the hook', async () => {
    let cut = (): void => {}
    const { other, client, orphaned, priming } = await interrupted((backend) => {
      const line = cutLine(backend)
      cut = line.cut
      return line.backend
    })
    cut()
    const events = dataOf(await sseEvents(await resume(other, client, priming)).rest())
    expect(events).toEqual([expect.objectContaining({ method: 'notifications/progress' }), gone])
    expect(orphaned).toEqual([{ sessionId: client.sessionId, owner: null, requestId: 1 }])
  })

  it('has one end: an answer that comes too late is dropped', async () => {
    const { promise: line, resolve: onLine } = deferred<ReturnType<typeof cutLine>>()
    const { running, other, client, holds, priming } = await interrupted((backend) => {
      const made = cutLine(backend)
      onLine(made)
      return made.backend
    })
    const { cut, restore } = await line
    cut()
    const first = dataOf(await sseEvents(await resume(other, client, priming)).rest())
    restore()
    holds.get('held')?.()
    // The node that ran it is back, and answers later requests of the session after it has written that answer.
    const sequel = await client.call('hold', { word: 'next' }, 2)
    holds.get('next')?.()
    await sseEvents(sequel).rest()
    for (const node of [running, other]) {
      expect(dataOf(await sseEvents(await resume(node, client, priming)).rest())).toEqual(first)
    }
  })

  it('goes on as long as its node lives, however long it takes', async () => {
    let renewals = 0
    const { promise: outlived, resolve: onOutlived } = deferred<void>()
    const { other, client, holds, orphaned, priming } = await interrupted((backend) => ({
      ...backend,
      get info() {
        return backend.info
      },
      async touch(touch, call) {
        if (touch.id.startsWith('!node_')) renewals += 1
        // Four in the life of a record: three lives.
        if (renewals === 12) onOutlived()
        return backend.touch(touch, call)
      },
    }))
    const resumed = sseEvents(await resume(other, client, priming))
    await outlived
    holds.get('held')?.()
    expect(dataOf(await resumed.rest()).at(-1)).toMatchObject({ id: 1, result: {} })
    expect(orphaned).toEqual([])
  })
})

describe('a call whose server is closed while it runs', () => {
  it('ends with an error at once', async () => {
    const { promise: underway, resolve: onTool } = deferred<McpServer>()
    const store = await sharedStore('memory')
    const node = await startNode(store(), {
      jsonWaitMs: 0,
      server() {
        const server = new McpServer({ name: 'closing', version: '1' })
        server.registerTool('run', {}, async () => {
          onTool(server)
          return deferred<never>().promise
        })
        return server
      },
    })
    const client = await rawClient(node.url)
    const events = sseEvents(await client.call('run'))
    await (await underway).close()
    expect(dataOf(await events.rest())).toEqual([gone])
    const again = sseEvents(await client.call('run', {}, 2))
    await again.cancel()
  })
})

describe('a node that closes', () => {
  it('leaves no heartbeat behind', async () => {
    const { running, client, priming, other } = await interrupted()
    const prefix = '!node_'
    const call = { now: Date.now(), deadlineAt: Number.POSITIVE_INFINITY }
    const list = async () => (await other.handler.sessions.getBackend().list({ limit: 10, prefix }, call)).records
    expect(await list()).toHaveLength(1)
    await running.handler.close()
    expect(await list()).toEqual([])
    expect(dataOf(await sseEvents(await resume(other, client, priming)).rest()).at(-1)).toEqual(gone)
  })
})

describe('an answer that retention takes before another node has read it', () => {
  it('is told to be lost, after the later answer of the same batch that is kept', async () => {
    const { promise: underway, resolve: onTool } = deferred<string>()
    const holds: Holds = new Map()
    const store = await sharedStore('memory')
    const options = { jsonWaitMs: 0, events: { maxEvents: 1 } }
    const running = await startNode(store(), { ...options, server: serverFactory(1, { holds, onTool }) })
    const other = await startNode(store(), options)
    const client = await rawClient(running.url, { version: '2025-03-26' })
    const call = (id: string, params: Record<string, unknown>) => ({ jsonrpc: '2.0', id, method: 'tools/call', params })
    const begun = sseEvents(
      await client.post([
        call('long', { name: 'hold', arguments: { word: 'long' }, _meta: { progressToken: 'p' } }),
        call('quick', { name: 'count', arguments: {} }),
      ]),
    )
    await underway
    const seen = [await begun.next(), await begun.next()]
    const progress = seen.find((event) => event?.data?.includes('progress'))
    for (let event = seen.at(-1); !event?.data?.includes('quick') && event !== undefined; event = await begun.next()) seen.push(event)
    holds.get('long')?.()
    await begun.rest()
    const answers = dataOf(await sseEvents(await resume(other, client, progress)).rest())
    expect(answers).toEqual([
      { jsonrpc: '2.0', id: 'long', result: expect.anything() },
      { jsonrpc: '2.0', id: 'quick', error: { code: -32000, message: 'The answer is not kept any more' } },
    ])
  })

  it('is told to be lost, and to the hook', async () => {
    const { promise: underway, resolve: onTool } = deferred<string>()
    const holds: Holds = new Map()
    const trimmed: unknown[] = []
    const store = await sharedStore('memory')
    // The other node hears no signals, and polls only once a second.
    const { signals: _none, ...deaf } = store()
    const events = { maxEvents: 2 }
    const running = await startNode(store(), { server: serverFactory(2, { holds, onTool }), jsonWaitMs: 0, events })
    const other = await startNode(deaf, { events, pollIntervalMs: 1_000, hooks: { trimmed: (event) => trimmed.push(event) } })
    const client = await rawClient(running.url)
    const begun = sseEvents(await client.call('hold', { word: 'long' }))
    const priming = await begun.next()
    await begun.next()
    await underway
    const resumed = sseEvents(await resume(other, client, priming))
    for (let count = 0; count < 2; count += 1) await resumed.next()
    holds.get('long')?.()
    await begun.rest()
    for (const [index, word] of ['a', 'b', 'c'].entries()) await client.call('notify', { word }, 10 + index)
    expect(dataOf(await resumed.rest())).toEqual([
      { jsonrpc: '2.0', id: 1, error: { code: -32000, message: 'The answer is not kept any more' } },
    ])
    expect(trimmed).toEqual([])
    expect((await resume(other, client, priming)).status).toBe(200)
    expect(trimmed).toEqual([{ sessionId: client.sessionId, owner: null, stream: 'call' }])
  })
})
