import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { memoryBackend } from '@mcp-session/memory'
import { describe, expect, it, onTestFinished } from 'vitest'
import { deferred } from '../src/deferred.ts'
import { type AuthInfo, createSessionHandler } from '../src/index.ts'
import { listen } from './listening.ts'
import { counterSchema, serverFactory } from './mcp-servers.ts'
import { startNode } from './nodes.ts'
import { initializeBody, knownSession, postRequest, rawClient, sseEvents } from './raw-client.ts'

type ExpressLike = IncomingMessage & { auth?: AuthInfo; body?: unknown }

/** What `express.json()` does to a request. */
async function parse(req: ExpressLike): Promise<void> {
  let text = ''
  for await (const chunk of req) text += String(chunk)
  req.body = text === '' ? {} : JSON.parse(text)
}

describe('handler.node', () => {
  it('works detached, with `next` as third argument, on a stream that nobody has read', async () => {
    const { handler } = await startNode(memoryBackend())
    const { node } = handler
    const next = (): void => {
      throw new Error('next must not be called')
    }
    const listening = await listen((req, res) => node(req, res, next))
    onTestFinished(() => listening.close())
    const client = await rawClient(listening.url)
    expect(await (await client.call('count')).text()).toContain('"1"')
  })

  it('uses req.body when something in front has read the stream', async () => {
    const { handler } = await startNode(memoryBackend())
    const listening = await listen(async (req: ExpressLike, res: ServerResponse) => {
      await parse(req)
      await handler.node(req, res)
    })
    onTestFinished(() => listening.close())
    const client = await rawClient(listening.url)
    expect(await (await client.call('count')).text()).toContain('"1"')
    expect((await client.delete()).status).toBe(200)
  })

  it('reads the stream itself where req.body is there but the stream was left alone', async () => {
    const { handler } = await startNode(memoryBackend())
    const listening = await listen(async (req: ExpressLike, res: ServerResponse) => {
      req.body = {}
      await handler.node(req, res)
    })
    onTestFinished(() => listening.close())
    expect(await (await (await rawClient(listening.url)).call('count')).text()).toContain('"1"')
  })

  it('takes a parsed body as third argument', async () => {
    const { handler } = await startNode(memoryBackend())
    const listening = await listen(async (req: ExpressLike, res: ServerResponse) => {
      await parse(req)
      const { body } = req
      delete req.body
      await handler.node(req, res, body)
    })
    onTestFinished(() => listening.close())
    expect((await rawClient(listening.url)).sessionId).toMatch(/^s_/)
  })

  it('takes req.auth for the principal', async () => {
    const info: AuthInfo = { token: 't', clientId: 'c', scopes: [] }
    const handler = await createSessionHandler({
      backend: memoryBackend(),
      schema: counterSchema,
      server: serverFactory(2),
      principal: ({ authInfo, request }) => authInfo && [authInfo.clientId, request?.headers.get('x-tenant')],
    })
    onTestFinished(() => handler.close())
    const listening = await listen((req: ExpressLike, res) => {
      req.auth = info
      return handler.node(req, res)
    })
    onTestFinished(() => listening.close())
    const answer = await fetch(postRequest(listening.url, initializeBody(), { 'x-tenant': 'blue' }))
    expect(answer.status).toBe(200)
    const id = answer.headers.get('mcp-session-id') ?? ''
    expect((await handler.sessions.retrieve(id))?.owner).toBe('["c","blue"]')
  })

  it('stops reading the log when the client goes away', async () => {
    const { handler } = await startNode(memoryBackend())
    const { promise: gone, resolve } = deferred<void>()
    const listening = await listen(async (req, res) => {
      await handler.node(req, res)
      if (req.method === 'GET') resolve()
    })
    onTestFinished(() => listening.close())
    const client = await rawClient(listening.url)
    const events = sseEvents(await client.get())
    await events.next()
    await events.cancel()
    await gone
  })

  it('leaves no listener behind for each time that it waits for a slow client', async () => {
    const { promise: served, resolve: onServed } = deferred<ServerResponse>()
    const { handler } = await startNode(memoryBackend(), { events: { maxEvents: Number.POSITIVE_INFINITY } })
    const listening = await listen((req, res) => {
      // Every write is one too many for this client.
      if (req.method === 'GET') {
        const write = res.write.bind(res)
        res.write = (frame: string): boolean => {
          write(frame)
          setImmediate(() => res.emit('drain'))
          return false
        }
        onServed(res)
      }
      return handler.node(req, res)
    })
    onTestFinished(() => listening.close())
    const client = await rawClient(listening.url)
    const stream = sseEvents(await client.get())
    const res = await served
    await stream.next()
    const before = res.listenerCount('close') + res.listenerCount('error')
    for (let count = 0; count < 20; count += 1) {
      await (await client.call('notify', { word: `slow ${count}` })).text()
      await stream.next()
    }
    expect(res.listenerCount('close') + res.listenerCount('error')).toBeLessThanOrEqual(before + 1)
    await stream.cancel()
  })

  it('answers 413 before it has read an endless body', async () => {
    const { handler } = await startNode(memoryBackend(), { maxBodyBytes: 10_000 })
    const listening = await listen(handler.node)
    onTestFinished(() => listening.close())
    const socket = connect(listening.port, '127.0.0.1')
    onTestFinished(() => void socket.destroy())
    socket.write(
      'POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAccept: */*\r\nTransfer-Encoding: chunked\r\n\r\n',
    )
    for (let chunks = 11; chunks > 0; chunks -= 1) socket.write(`3e8\r\n${' '.repeat(1_000)}\r\n`)
    const [head] = await once(socket, 'data')
    expect(String(head)).toMatch(/^HTTP\/1.1 413 /)
  })

  it('takes a body that ends early for a bad request, and goes on', async () => {
    const node = await startNode(memoryBackend())
    const socket = connect(node.port, '127.0.0.1')
    socket.write(
      'POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAccept: */*\r\nContent-Length: 100\r\n\r\n{"json',
    )
    socket.end()
    socket.resume()
    await once(socket, 'close')
    expect((await rawClient(node.url)).sessionId).toMatch(/^s_/)
    expect(node.errors).toEqual([])
  })
})

describe('handler.fetch', () => {
  it('serves web standard requests, streams included', async () => {
    const { handler, url } = await startNode(memoryBackend(), { jsonWaitMs: 0 })
    const { fetch: send } = handler
    const client = await rawClient(url, { send })
    const events = sseEvents(await client.get())
    await events.next()
    expect((await sseEvents(await client.call('notify', { word: 'web' })).rest()).at(-1)?.data).toContain('sent')
    expect((await events.next())?.data).toContain('web')
    await events.cancel()
  })

  it('takes authInfo and a parsed body', async () => {
    const handler = await createSessionHandler({
      backend: memoryBackend(),
      schema: counterSchema,
      server: serverFactory(1),
      principal: ({ authInfo }) => authInfo && [authInfo.clientId],
    })
    onTestFinished(() => handler.close())
    const url = new URL('http://localhost/mcp')
    const authInfo: AuthInfo = { token: 't', clientId: 'c', scopes: [] }
    const answer = await handler.fetch(postRequest(url, 'not read'), { authInfo, parsedBody: initializeBody() })
    const client = knownSession(url, answer.headers.get('mcp-session-id') ?? '', {
      send: (request) => handler.fetch(request, { authInfo }),
    })
    expect(await (await client.call('peek')).text()).toContain('0 [\\"c\\"]')
    expect(await handler.ownerOf(authInfo)).toBe('["c"]')
  })
})
