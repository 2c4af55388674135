import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import {
  connect as connectHttp2,
  constants,
  createServer as createHttp2Server,
  type Http2ServerRequest,
  type Http2ServerResponse,
} from 'node:http2'
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

  it('writes on only when a slow client has taken what was written', async () => {
    const { promise: served, resolve: onServed } = deferred<ServerResponse>()
    const { handler } = await startNode(memoryBackend())
    let writes = 0
    const listening = await listen((req, res) => {
      if (req.method === 'GET') {
        const write = res.write.bind(res)
        res.write = (frame: string): boolean => {
          writes += 1
          write(frame)
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
    for (const word of ['amber', 'birch']) await (await client.call('notify', { word })).text()
    expect(writes).toBe(1)
    res.emit('drain')
    expect((await stream.next())?.data).toContain('amber')
    expect(writes).toBe(2)
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

describe('handler.node in front of which something has been', () => {
  it('leaves an answer alone that was given already', async () => {
    const { handler } = await startNode(memoryBackend())
    const { promise: served, resolve } = deferred<unknown>()
    const listening = await listen((req, res) => {
      res.writeHead(503).end('too late')
      resolve(handler.node(req, res))
    })
    onTestFinished(() => listening.close())
    const answer = await fetch(postRequest(listening.url, initializeBody()))
    expect([answer.status, await answer.text()]).toEqual([503, 'too late'])
    await expect(served).resolves.toBeUndefined()
  })

  it('takes a body that was decoded, although the headers say that it is compressed', async () => {
    const { handler } = await startNode(memoryBackend())
    const listening = await listen(async (req: ExpressLike, res) => {
      await parse(req)
      await handler.node(req, res)
    })
    onTestFinished(() => listening.close())
    expect((await fetch(postRequest(listening.url, initializeBody(), { 'content-encoding': 'gzip' }))).status).toBe(200)
  })

  it('says so where the body was read and nothing was left of it', async () => {
    const { handler } = await startNode(memoryBackend())
    const listening = await listen(async (req, res) => {
      await parse(req)
      delete (req as ExpressLike).body
      await handler.node(req, res)
    })
    onTestFinished(() => listening.close())
    const answer = await fetch(postRequest(listening.url, initializeBody()))
    expect([answer.status, await answer.text()]).toEqual([400, expect.stringContaining('was read before')])
  })

  it.each(['//evil.example/mcp', 'http://evil.example/mcp'])('tells of the host that was checked when the target is %s', async (target) => {
    const urls: string[] = []
    const handler = await createSessionHandler({
      backend: memoryBackend(),
      schema: counterSchema,
      server: serverFactory(2),
      principal({ request }) {
        urls.push(request?.url ?? '')
        return undefined
      },
    })
    onTestFinished(() => handler.close())
    const listening = await listen(handler.node)
    onTestFinished(() => listening.close())
    const socket = connect(listening.port, '127.0.0.1')
    onTestFinished(() => void socket.destroy())
    socket.write(`DELETE ${target} HTTP/1.1\r\nHost: localhost\r\nMcp-Session-Id: s\r\n\r\n`)
    await once(socket, 'data')
    expect(urls.map((url) => new URL(url).host)).toEqual(['localhost'])
  })
})

describe('handler.node before the end of a request', () => {
  const headOf = (framing: string) =>
    `POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAccept: */*\r\n${framing}\r\n\r\n`
  const chunk = `3e8\r\n${' '.repeat(1_000)}\r\n`
  const megabytes = 16

  it.each([
    ['in chunks', headOf('Transfer-Encoding: chunked'), chunk, `${chunk.repeat(megabytes * 1_000)}0\r\n\r\n`],
    ['with its length', headOf(`Content-Length: ${megabytes * 1_000_000 + 1_000}`), ' '.repeat(1_000), ' '.repeat(megabytes * 1_000_000)],
  ])('closes no connection on which a client is still sending a body %s, so that it can read its 413', async (_, head, start, rest) => {
    const { handler } = await startNode(memoryBackend(), { maxBodyBytes: 999 })
    const listening = await listen(handler.node)
    onTestFinished(() => listening.close())
    const socket = connect({ port: listening.port, host: '127.0.0.1', allowHalfOpen: true })
    onTestFinished(() => void socket.destroy())
    socket.write(head + start)
    expect(String((await once(socket, 'data'))[0])).toMatch(/^HTTP\/1.1 413 [\s\S]*"code":-32000/)
    let isEnded = false
    const ended = once(socket, 'end').then(() => {
      isEnded = true
    })
    // An end that came with the answer would be here before another answer.
    expect((await fetch(listening.url)).status).toBe(400)
    expect(isEnded).toBe(false)
    // More than fits on the way: it is read, or the client would never be done with it.
    await new Promise<void>((resolve, reject) => socket.on('error', reject).write(rest, (error) => (error ? reject(error) : resolve())))
    await ended
  })

  it('closes the connection of a client that does not stop', async () => {
    const { handler } = await startNode(memoryBackend(), { maxBodyBytes: 1_000 })
    const listening = await listen(handler.node)
    onTestFinished(() => listening.close())
    const socket = connect(listening.port, '127.0.0.1')
    // The end of such a connection is a reset.
    const closed = new Promise((resolve) => socket.on('error', () => {}).on('close', resolve))
    const send = (): unknown => socket.writable && socket.write(chunk.repeat(64), send)
    socket.write(headOf('Transfer-Encoding: chunked'), send)
    socket.resume()
    await closed
  })
})

describe('handler.node over HTTP/2', () => {
  /** Only the types differ: the request and response of HTTP/2 are made to be used like those of HTTP/1. */
  type Listener = (req: Http2ServerRequest, res: Http2ServerResponse) => void

  async function http2Client(handle: (req: IncomingMessage, res: ServerResponse) => unknown) {
    const server = createHttp2Server(handle as unknown as Listener)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    const session = connectHttp2(`http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`)
    onTestFinished(async () => {
      session.destroy()
      await new Promise((resolve) => server.close(resolve))
    })
    return (method: string, headers: Record<string, string> = {}, body?: unknown) => {
      const accept = method === 'GET' ? 'text/event-stream' : 'application/json, text/event-stream'
      const stream = session.request({ ':method': method, ':path': '/mcp', accept, 'content-type': 'application/json', ...headers })
      stream.end(body === undefined ? undefined : JSON.stringify(body))
      return stream
    }
  }

  async function initialized(ask: Awaited<ReturnType<typeof http2Client>>): Promise<Record<string, string>> {
    const [head] = await once(ask('POST', {}, initializeBody()), 'response')
    expect(head[':status']).toBe(200)
    return { 'mcp-session-id': head['mcp-session-id'], 'mcp-protocol-version': '2025-11-25' }
  }

  const call = (name: string, args: Record<string, unknown>) => ({
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name, arguments: args },
  })

  it('serves calls and streams, and warns of nothing when a body is too large', async () => {
    const warnings: Error[] = []
    const onWarning = (warning: Error): number => warnings.push(warning)
    process.on('warning', onWarning)
    onTestFinished(() => void process.off('warning', onWarning))
    const { handler } = await startNode(memoryBackend(), { maxBodyBytes: 1_000 })
    const ask = await http2Client(handler.node)
    const known = await initialized(ask)
    const events = ask('GET', known).setEncoding('utf8')
    expect(String(await once(events, 'data'))).toContain('retry: ')
    const heard = once(events, 'data')
    const [answer] = await once(ask('POST', known, call('notify', { word: 'amber' })).setEncoding('utf8'), 'data')
    expect(String(answer)).toContain('sent')
    expect(String(await heard)).toContain('amber')
    const [head] = await once(ask('POST', known, call('notify', { word: 'x'.repeat(1_000) })), 'response')
    expect(head[':status']).toBe(413)
    const [deleted] = await once(ask('DELETE', known), 'response')
    expect(deleted[':status']).toBe(200)
    expect(warnings).toEqual([])
  })

  it('is done at once where a client has gone away before it was answered', async () => {
    const { handler } = await startNode(memoryBackend())
    const { promise: served, resolve } = deferred<void>()
    const { promise: asked, resolve: onAsked } = deferred<void>()
    const ask = await http2Client(async (req, res) => {
      if (req.method !== 'GET') return void handler.node(req, res)
      onAsked()
      await once(res, 'close')
      await handler.node(req, res)
      resolve()
    })
    const early = ask('GET', await initialized(ask))
    await asked
    early.close(constants.NGHTTP2_CANCEL)
    await served
  })

  it('is done when a client goes away that has not read its stream', async () => {
    const { handler } = await startNode(memoryBackend(), { events: { maxBytes: Number.POSITIVE_INFINITY } })
    const { promise: served, resolve } = deferred<void>()
    const ask = await http2Client(async (req, res) => {
      await handler.node(req, res)
      if (req.method === 'GET') resolve()
    })
    const known = await initialized(ask)
    // Each of them is more than the client lets come unread.
    for (let count = 0; count < 3; count += 1) {
      await once(ask('POST', known, call('notify', { word: 'x'.repeat(200_000) })).resume(), 'end')
    }
    const unread = ask('GET', known)
    await once(unread, 'response')
    unread.close(constants.NGHTTP2_CANCEL)
    await served
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

  it('leaves the connection and the rest of a body that is too large to its host', async () => {
    const { handler } = await startNode(memoryBackend(), { maxBodyBytes: 1_000 })
    let isCancelled = false
    const body = new ReadableStream({
      pull: (controller) => controller.enqueue(new Uint8Array(600)),
      cancel() {
        isCancelled = true
      },
    })
    const headers = { 'content-type': 'application/json', accept: '*/*' }
    const request = new Request('http://localhost/mcp', { method: 'POST', headers, body, duplex: 'half' })
    const answer = await handler.fetch(request)
    expect([answer.status, answer.headers.get('connection'), isCancelled]).toEqual([413, null, false])
    await request.body?.cancel()
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
