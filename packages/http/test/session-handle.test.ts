import { SessionError } from '@mcp-session/core'
import { memoryBackend } from '@mcp-session/memory'
import { McpServer } from '@modelcontextprotocol/server'
import { describe, expect, it } from 'vitest'
import { deferred } from '../src/deferred.ts'
import type { SessionHandle } from '../src/index.ts'
import { type Counter, serverFactory } from './mcp-servers.ts'
import { startNode } from './nodes.ts'
import { rawClient, sseEvents } from './raw-client.ts'

const steps = ['first', 'second'] as const

/** A server whose tool runs what the test gives it. */
function scripted(run: (session: SessionHandle<Counter>) => Promise<unknown>, seen: (session: SessionHandle<Counter>) => void = () => {}) {
  return ({ session }: { session: SessionHandle<Counter> }) => {
    seen(session)
    const server = new McpServer({ name: 'scripted', version: '1' })
    server.registerTool('run', {}, async () => ({ content: [{ type: 'text', text: JSON.stringify(await run(session)) }] }))
    return server
  }
}

async function textOf(response: Response): Promise<unknown> {
  const body =
    response.headers.get('content-type') === 'application/json' ? await response.text() : (await sseEvents(response).rest()).at(-1)?.data
  const message = JSON.parse(body ?? '')
  return JSON.parse(message.result.content[0].text)
}

const increment = (metadata: Counter): Counter => ({ ...metadata, counter: metadata.counter + 1 })

describe('session.metadata', () => {
  it('stays as it was when the request came, until the request refreshes or updates it', async () => {
    const { promise: changed, resolve: change } = deferred<void>()
    const { promise: running, resolve: run } = deferred<void>()
    const node = await startNode(memoryBackend(), {
      server: scripted(async (session) => {
        const before = session.metadata.counter
        run()
        await changed
        const during = session.metadata.counter
        const refreshed = (await session.refresh()).counter
        const shown = session.metadata.counter
        const updated = (await session.update(increment)).counter
        return { before, during, refreshed, shown, updated, after: session.metadata.counter }
      }),
    })
    const client = await rawClient(node.url)
    const answer = client.call('run')
    await running
    await node.handler.sessions.update(client.sessionId, () => ({ counter: 10 }))
    // Another request shows this node the newer snapshot.
    expect((await client.post({ jsonrpc: '2.0', id: 2, method: 'ping' })).status).toBe(200)
    change()
    expect(await textOf(await answer)).toEqual({ before: 0, during: 0, refreshed: 10, shown: 10, updated: 11, after: 11 })
  })

  it('is the newest that this node has seen outside of requests, and frozen', async () => {
    let handle: SessionHandle<Counter> | undefined
    const node = await startNode(memoryBackend(), {
      server: scripted(
        async (session) => session.update(increment),
        (session) => (handle = session),
      ),
    })
    const client = await rawClient(node.url)
    expect(handle?.metadata).toEqual({ counter: 0 })
    await textOf(await client.call('run'))
    expect(handle?.metadata).toEqual({ counter: 1 })
    expect(Object.isFrozen(handle?.metadata)).toBe(true)
    expect(handle?.id).toBe(client.sessionId)
    expect(handle?.owner).toBeNull()
  })
})

describe('session.update', () => {
  it('counts 50 calls at once to exactly 50', async () => {
    const node = await startNode(memoryBackend(), { server: serverFactory(1) })
    const client = await rawClient(node.url)
    await Promise.all(Array.from({ length: 50 }, (_, id) => client.call('count', {}, id).then((answer) => answer.text())))
    expect((await node.handler.sessions.retrieve(client.sessionId))?.metadata).toEqual({ counter: 50 })
  })

  it('works in the factory already', async () => {
    const node = await startNode(memoryBackend(), {
      async server(context) {
        await context.session.update(increment)
        return serverFactory(2)(context)
      },
    })
    const client = await rawClient(node.url)
    expect(await (await client.call('peek')).text()).toContain('"1 null"')
  })

  it('rejects once the session has ended', async () => {
    let handle: SessionHandle<Counter> | undefined
    const node = await startNode(memoryBackend(), {
      server: scripted(
        async () => null,
        (session) => (handle = session),
      ),
    })
    const client = await rawClient(node.url)
    await client.delete()
    for (const use of [handle?.update(increment), handle?.refresh()]) {
      await expect(use).rejects.toSatisfy((error) => SessionError.is(error, 'MCP_SESSION_CLOSED'))
    }
    expect(await handle?.terminate()).toBe(false)
  })
})

describe('session.terminate', () => {
  it('ends the session after the call that asks for it', async () => {
    const node = await startNode(memoryBackend(), { server: serverFactory(2) })
    const client = await rawClient(node.url)
    const stream = sseEvents(await client.get())
    await stream.next()
    expect(await (await client.call('end')).text()).toContain('"true"')
    expect(await stream.next()).toBeUndefined()
    expect((await client.call('count')).status).toBe(404)
  })
})

describe('a live server', () => {
  it('is closed when it has been idle, and made again when it is needed', async () => {
    let made = 0
    const clock = { now: 1_000_000 }
    const closed = steps.map(() => deferred<void>())
    const node = await startNode(memoryBackend(), {
      liveIdleMs: 200,
      now: () => clock.now,
      async server(context) {
        const server = await serverFactory(1)(context)
        const { resolve } = closed[made] ?? deferred<void>()
        made += 1
        const close = server.close.bind(server)
        server.close = () => close().then(resolve)
        return server
      },
    })
    const client = await rawClient(node.url)
    for (const step of closed) {
      await (await client.call('count')).text()
      clock.now += 200
      await step.promise
    }
    expect(made).toBe(2)
  })

  it('is made once for requests that come at the same time', async () => {
    const backend = memoryBackend()
    await backend.open()
    const first = await startNode(backend)
    const client = await rawClient(first.url)
    let made = 0
    const second = await startNode(backend, {
      server(context) {
        made += 1
        return serverFactory(1)(context)
      },
    })
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, id) =>
        second.handler.fetch(
          new Request(second.url, {
            method: 'POST',
            headers: { 'content-type': 'application/json', accept: '*/*', 'mcp-session-id': client.sessionId },
            body: JSON.stringify({ jsonrpc: '2.0', id, method: 'ping' }),
          }),
        ),
      ),
    )
    expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200))
    expect(made).toBe(1)
    await backend.close()
  })

  it('hears the log level and the subscriptions of its predecessor, and no second "initialized"', async () => {
    const heard: unknown[] = []
    const backend = memoryBackend()
    await backend.open()
    const server = (): McpServer => {
      const made = new McpServer({ name: 'heard', version: '1' }, { capabilities: { logging: {}, resources: { subscribe: true } } })
      made.server.oninitialized = () => heard.push('initialized')
      made.server.setRequestHandler('logging/setLevel', ({ params }) => {
        heard.push(params.level)
        return {}
      })
      made.server.setRequestHandler('resources/subscribe', ({ params }) => {
        heard.push(params.uri)
        return {}
      })
      made.server.setRequestHandler('resources/unsubscribe', () => ({}))
      return made
    }
    const first = await startNode(backend, { server })
    const client = await rawClient(first.url)
    await client.post({ jsonrpc: '2.0', method: 'notifications/initialized' })
    const requests = [
      { method: 'logging/setLevel', params: { level: 'error' } },
      { method: 'resources/subscribe', params: { uri: 'a:b' } },
      { method: 'resources/subscribe', params: { uri: 'c:d' } },
      { method: 'resources/unsubscribe', params: { uri: 'a:b' } },
    ]
    for (const [id, request] of requests.entries()) expect((await client.post({ jsonrpc: '2.0', id, ...request })).status).toBe(200)
    expect(heard).toEqual(['initialized', 'error', 'a:b', 'c:d'])
    const second = await startNode(backend, { server })
    heard.length = 0
    const answer = await second.handler.fetch(
      new Request(second.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: '*/*', 'mcp-session-id': client.sessionId },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' }),
      }),
    )
    expect(await answer.json()).toEqual({ jsonrpc: '2.0', id: 1, result: {} })
    expect(heard).toEqual(['error', 'c:d'])
    await backend.close()
  })
})
