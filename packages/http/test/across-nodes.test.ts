import type { SessionBackend } from '@mcp-session/core/backend'
import { describe, expect, it } from 'vitest'
import { deferred } from '../src/deferred.ts'
import { type Holds, serverFactory } from './mcp-servers.ts'
import { startNode } from './nodes.ts'
import { knownSession, rawClient, sseEvents } from './raw-client.ts'
import { onEachEngine, sharedStore } from './shared-store.ts'

function withoutSignals(backend: SessionBackend): SessionBackend {
  const { signals: _dropped, ...deaf } = backend
  return deaf
}

const buses = [
  { bus: 'with signals alone', hear: (backend: SessionBackend) => backend, pollIntervalMs: 600_000 },
  { bus: 'with every signal dropped', hear: withoutSignals, pollIntervalMs: 40 },
]

describe.each(onEachEngine(buses))('two nodes on one store of $engine, $bus', { timeout: 30_000 }, ({ engine, hear, pollIntervalMs }) => {
  it('take each other’s answers: one asks the client, the other one gets the answer', async () => {
    const store = await sharedStore(engine)
    const asking = await startNode(hear(store()), { pollIntervalMs, server: serverFactory(1) })
    const other = await startNode(hear(store()), { pollIntervalMs, server: serverFactory(2) })
    const client = await rawClient(asking.url, { capabilities: { roots: {} } })
    const events = sseEvents(await client.call('ask', { word: 'roots:' }))
    await events.next()
    const question = JSON.parse((await events.next())?.data ?? '')
    expect(question).toMatchObject({ method: 'roots/list', id: expect.stringMatching(/^[\w-]{16}:0$/) })
    const elsewhere = knownSession(other.url, client.sessionId)
    const taken = await elsewhere.post({ jsonrpc: '2.0', id: question.id, result: { roots: [{ uri: 'file:///from-other' }] } })
    expect(taken.status).toBe(202)
    expect((await events.next())?.data).toContain('roots: file:///from-other')
  })

  it('never use a request id twice', async () => {
    const store = await sharedStore(engine)
    const ids: unknown[] = []
    const client = await rawClient((await startNode(hear(store()), { pollIntervalMs })).url, { capabilities: { roots: {} } })
    for (const major of [1, 2, 1] as const) {
      const node = await startNode(hear(store()), { pollIntervalMs, server: serverFactory(major) })
      const events = sseEvents(await knownSession(node.url, client.sessionId).call('ask', { word: 'x' }))
      await events.next()
      ids.push(JSON.parse((await events.next())?.data ?? '').id)
      await events.cancel()
    }
    expect(new Set(ids).size).toBe(3)
  })

  it('end a call here that is cancelled there', async () => {
    const holds: Holds = new Map()
    const { promise: underway, resolve: onTool } = deferred<string>()
    const store = await sharedStore(engine)
    const running = await startNode(hear(store()), { pollIntervalMs, server: serverFactory(2, { holds, onTool }), jsonWaitMs: 0 })
    const other = await startNode(hear(store()), { pollIntervalMs })
    const client = await rawClient(running.url)
    const events = sseEvents(await client.call('hold', { word: 'stop' }, 'c1'))
    await underway
    const elsewhere = knownSession(other.url, client.sessionId)
    await elsewhere.post({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 'c1' } })
    expect((await events.rest()).map(({ data }) => data)).toEqual(['', expect.stringContaining('notifications/progress')])
  })

  it('deliver the notifications of both on the one stream, in the order of the log', async () => {
    const store = await sharedStore(engine)
    const one = await startNode(hear(store()), { pollIntervalMs, server: serverFactory(1) })
    const two = await startNode(hear(store()), { pollIntervalMs, server: serverFactory(2) })
    const client = await rawClient(one.url)
    const events = sseEvents(await client.get())
    await events.next()
    const elsewhere = knownSession(two.url, client.sessionId)
    for (const word of ['a', 'c']) {
      await client.call('notify', { word })
      await elsewhere.call('notify', { word: `${word}2` })
    }
    const words: unknown[] = []
    for (let left = 4; left > 0; left -= 1) words.push(JSON.parse((await events.next())?.data ?? '').params.data)
    expect(words).toEqual(['a', 'a2', 'c', 'c2'])
    await events.cancel()
  })

  it('end a GET here when its client opens a newer one there, which misses nothing', async () => {
    const store = await sharedStore(engine)
    const one = await startNode(hear(store()), { pollIntervalMs })
    const two = await startNode(hear(store()), { pollIntervalMs })
    const client = await rawClient(one.url)
    const older = sseEvents(await client.get())
    await older.next()
    await client.call('notify', { word: 'a' })
    const a = await older.next()
    const elsewhere = knownSession(two.url, client.sessionId)
    const newer = sseEvents(await elsewhere.get({ 'last-event-id': a?.id ?? '' }))
    expect((await newer.next())?.id).toBe(a?.id)
    expect(await older.next()).toBeUndefined()
    await client.call('notify', { word: 'b' })
    expect((await newer.next())?.data).toContain('"b"')
    const newest = sseEvents(await client.get())
    await newest.next()
    expect(await newer.next()).toBeUndefined()
    await elsewhere.call('notify', { word: 'c' })
    expect((await newest.next())?.data).toContain('"c"')
    await newest.cancel()
  })

  it('end streams and servers here when the session is deleted there', async () => {
    const { promise: closed, resolve: onclose } = deferred<void>()
    const store = await sharedStore(engine)
    const one = await startNode(hear(store()), {
      pollIntervalMs,
      async server(context) {
        const server = await serverFactory(2)(context)
        const close = server.close.bind(server)
        server.close = async () => {
          await close()
          onclose()
        }
        return server
      },
    })
    const two = await startNode(hear(store()), { pollIntervalMs })
    const client = await rawClient(one.url)
    const events = sseEvents(await client.get())
    await events.next()
    expect(await two.handler.sessions.delete(client.sessionId)).toBe(true)
    expect(await events.next()).toBeUndefined()
    await closed
    expect((await client.call('count')).status).toBe(404)
  })

  it('count exactly under parallel calls', async () => {
    const store = await sharedStore(engine)
    const nodes = [
      await startNode(hear(store()), { pollIntervalMs, server: serverFactory(1) }),
      await startNode(hear(store()), { pollIntervalMs, server: serverFactory(2) }),
    ]
    const client = await rawClient(nodes[0]?.url ?? new URL('http://none'))
    const calls = Array.from({ length: 20 }, async (_, index) => {
      const node = nodes[index % 2] ?? nodes[0]
      const answer = await knownSession(node?.url ?? new URL('http://none'), client.sessionId).call('count', {}, index)
      return answer.text()
    })
    const seen = (await Promise.all(calls)).map((text) => Number(/"text":"(\d+)"/.exec(text)?.[1]))
    expect(seen.sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, index) => index + 1))
  })
})

describe('an answer for a server that closes while it reads its inbox', () => {
  it('is dropped, and harms nobody', async () => {
    const backend = (await sharedStore('memory'))()
    const { events: log } = backend
    if (log === undefined) throw new Error('memory has an event log')
    const { promise: gate, resolve: open } = deferred<void>()
    const { promise: found, resolve: onFound } = deferred<void>()
    const slow: SessionBackend = {
      ...backend,
      events: {
        ...log,
        async read(...given) {
          const page = await log.read(...given)
          if (given[1].streams?.[0] === 'inbox' && page?.events.length === 1) {
            onFound()
            await gate
          }
          return page
        },
      },
    }
    const asking = await startNode(slow, { server: serverFactory(1) })
    const other = await startNode(backend)
    const client = await rawClient(asking.url, { capabilities: { roots: {} } })
    const events = sseEvents(await client.call('ask', { word: 'x' }))
    await events.next()
    const question = JSON.parse((await events.next())?.data ?? '')
    await knownSession(other.url, client.sessionId).post({ jsonrpc: '2.0', id: question.id, result: { roots: [] } })
    await found
    expect((await client.delete()).status).toBe(200)
    const rejections: unknown[] = []
    const onRejection = (error: unknown): number => rejections.push(error)
    process.on('unhandledRejection', onRejection)
    open()
    // A whole request comes later than what follows the read.
    expect((await client.call('count')).status).toBe(404)
    process.off('unhandledRejection', onRejection)
    expect(rejections).toEqual([])
  })
})
