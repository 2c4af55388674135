import { memoryBackend } from '@mcp-session/memory'
import { describe, expect, it } from 'vitest'
import { clientAnswer as answer, type Compared, comparedRequests, initialized, known, ping } from './compared-requests.ts'
import { type PlainAnswer, sendPlain } from './http-request.ts'
import { holdingNode, type NodeOptions, startNode } from './nodes.ts'
import { initializeBody, postRequest, rawClient, sseEvents } from './raw-client.ts'
import { bodyBound, startStockServer } from './stock-servers.ts'

const revisions = [
  { version: '2025-03-26', hasBatches: true, isPrimed: false },
  { version: '2025-06-18', hasBatches: false, isPrimed: false },
  { version: '2025-11-25', hasBatches: false, isPrimed: true },
] as const

describe('every request is answered as by the SDKs’ servers, or there is a reason', () => {
  async function verdict(url: URL, { request, isFresh }: Compared): Promise<string> {
    const first = isFresh ? undefined : await sendPlain(url, { headers: known, body: JSON.stringify(initializeBody()) })
    const { status, text } = await sendPlain(url, request(String(first?.headers['mcp-session-id'])))
    const code = /"error":\{"code":(-?\d+)/.exec(text)?.[1]
    return code === undefined ? String(status) : `${status} ${code}`
  }

  it.each(comparedRequests)('$rule: $answer', async (compared) => {
    const ours = await startNode(memoryBackend(), { maxBodyBytes: bodyBound })
    const stock = compared.stock ?? compared.answer
    expect(await verdict(ours.url, compared)).toBe(compared.answer)
    expect(await verdict((await startStockServer(1)).url, compared), 'SDK 1').toBe(stock)
    expect(await verdict((await startStockServer(2)).url, compared), 'SDK 2').toBe(stock)
    expect(ours.errors).toEqual([])
  })
})

describe.each(revisions)('in revision $version', ({ version, hasBatches, isPrimed }) => {
  const start = async (options: NodeOptions = {}) => {
    const node = await startNode(memoryBackend(), options)
    return { node, client: await rawClient(node.url, { version }) }
  }

  it('initialize is answered as JSON with that revision and an id of visible ASCII', async () => {
    const node = await startNode(memoryBackend())
    const reply = await fetch(postRequest(node.url, initializeBody(version)))
    expect(reply.status).toBe(200)
    expect(reply.headers.get('content-type')).toBe('application/json')
    expect(reply.headers.get('mcp-session-id')).toMatch(/^[\x21-\x7e]+$/)
    expect(await reply.json()).toMatchObject({ id: 0, result: { protocolVersion: version } })
  })

  it.each([['a notification', initialized] as const, ['an answer', answer] as const])('%s is 202 without a body', async (_, message) => {
    const { client } = await start()
    const reply = await client.post(message)
    expect(reply.status).toBe(202)
    expect(reply.headers.get('content-length')).toBe('0')
    expect(await reply.text()).toBe('')
  })

  it('a request is answered by one JSON object', async () => {
    const { client } = await start({ jsonWaitMs: 10_000 })
    const reply = await client.post(ping)
    expect(reply.headers.get('content-type')).toBe('application/json')
    expect(await reply.json()).toEqual({ jsonrpc: '2.0', id: 1, result: {} })
  })

  it(`a request is answered by a stream, ${isPrimed ? 'primed' : 'not primed'}, which ends after the answer`, async () => {
    const { client } = await start({ jsonWaitMs: 0, retryMs: 1_234 })
    const reply = await client.post(ping)
    expect(reply.headers.get('content-type')).toBe('text/event-stream')
    expect(reply.headers.get('cache-control')).toBe('no-cache, no-transform')
    const [opening, ...rest] = await sseEvents(reply).rest()
    expect(opening?.retry).toBe('1234')
    // Without a data line no event is dispatched, so an old client sees nothing.
    expect(opening).toMatchObject(isPrimed ? { id: expect.stringMatching(/./), data: '' } : { id: undefined, data: undefined })
    expect(rest.map(({ data }) => JSON.parse(data ?? ''))).toEqual([{ jsonrpc: '2.0', id: 1, result: {} }])
    expect(rest[0]?.id).not.toBe(opening?.id)
  })

  it('GET is a stream of the server’s own messages, each on one stream only, with ids of their own', async () => {
    const { client } = await start({ retryMs: 1_234 })
    const reply = await client.get()
    expect(reply.headers.get('content-type')).toBe('text/event-stream')
    const stream = sseEvents(reply)
    expect(await stream.next()).toMatchObject({ retry: '1234', data: isPrimed ? '' : undefined })
    const called = await (await client.call('notify', { word: 'amber' })).text()
    await (await client.call('notify', { word: 'birch' }, 2)).text()
    const heard = [await stream.next(), await stream.next()]
    expect(heard.map((event) => JSON.parse(event?.data ?? '').params.data)).toEqual(['amber', 'birch'])
    expect(new Set(heard.map((event) => event?.id)).size).toBe(2)
    expect(called).not.toContain('amber')
    await stream.cancel()
  })

  it('a stream that the server closes ends with `retry`', async () => {
    const { node, client } = await start({ retryMs: 1_234 })
    const stream = sseEvents(await client.get())
    await stream.next()
    await node.handler.close()
    expect((await stream.rest()).map(({ retry }) => retry)).toEqual(['1234'])
  })

  it('a stream that is resumed gives what came after, and nothing of other streams', async () => {
    const { client } = await start({ jsonWaitMs: 0 })
    const events = await sseEvents(await client.call('notify', { word: 'amber' })).rest()
    const own = sseEvents(await client.get())
    await own.next()
    const other = await own.next()
    await own.cancel()
    expect(other?.data).toContain('amber')
    // The call's stream is complete; the standalone one goes on, without the call's answer.
    expect((await client.get({ 'last-event-id': events.at(-1)?.id ?? '' })).status).toBe(204)
    const resumed = sseEvents(await client.get({ 'last-event-id': other?.id ?? '' }))
    await resumed.next()
    await (await client.call('notify', { word: 'birch' }, 2)).text()
    expect((await resumed.next())?.data).toContain('birch')
    await resumed.cancel()
  })

  it.each([
    ['requests', [ping, { ...ping, id: 'two' }], '200 1 two'],
    ['one request', [ping], '200 1'],
    ['requests and notifications', [initialized, ping], '200 1'],
    ['notifications', [initialized, initialized], '202'],
    ['answers', [answer, { ...answer, id: 'other' }], '202'],
    ['as many messages as there may be', Array(100).fill(initialized), '202'],
    ['one message too many', Array(101).fill(initialized), '400'],
    ['requests of one id', [ping, ping], '400'],
    ['nothing', [], '400'],
    ['a message that is none', [ping, { id: 1 }], '400'],
    ['a batch', [[ping]], '400'],
    ['initialize', [initializeBody(version), ping], '400'],
  ] as const)(`a batch of %s is ${hasBatches ? 'served' : 'refused'}`, async (_, batch, expected) => {
    const { client, node } = await start({ jsonWaitMs: 10_000 })
    const reply = await client.post(batch)
    const body: unknown = reply.status === 202 ? '' : await reply.json()
    const ids = Array.isArray(body) ? body.map(({ id, result }) => (result === undefined ? 'none' : id)) : []
    expect([reply.status, ...ids].join(' ')).toBe(hasBatches ? expected : '400')
    if (reply.status === 400) expect(body).toMatchObject({ error: { code: -32600 } })
    // Nothing of a refused batch runs, and the session goes on.
    expect((await client.post(ping)).status).toBe(200)
    expect(node.errors).toEqual([])
  })

  it('a stream answers all requests of a batch', async () => {
    const { client } = await start({ jsonWaitMs: 0 })
    const reply = await client.post([ping, initialized, { ...ping, id: 'two' }])
    const events = await sseEvents(reply).rest()
    const ids = events.flatMap(({ data }) => (data ? [JSON.parse(data).id] : []))
    expect(reply.status === 200 ? new Set(ids) : reply.status).toEqual(hasBatches ? new Set([1, 'two']) : 400)
  })

  it('a request without MCP-Protocol-Version speaks the agreed revision', async () => {
    const { client, node } = await start({ jsonWaitMs: 0 })
    const bare = { 'mcp-session-id': client.sessionId }
    const [opening] = await sseEvents(await fetch(postRequest(node.url, ping, bare))).rest()
    expect(opening?.data).toBe(isPrimed ? '' : undefined)
    const stream = sseEvents(await fetch(node.url, { headers: { ...bare, accept: 'text/event-stream' } }))
    expect((await stream.next())?.data).toBe(isPrimed ? '' : undefined)
    await stream.cancel()
    expect((await fetch(postRequest(node.url, [ping], bare))).status).toBe(hasBatches ? 200 : 400)
  })

  it.each(['2024-01-01', 'garbage', '2026-07-28', ''])(
    'MCP-Protocol-Version %j is 400 on every method, and the session goes on',
    async (other) => {
      const { client, node } = await start()
      const headers = { 'mcp-session-id': client.sessionId, 'mcp-protocol-version': other }
      expect((await fetch(postRequest(node.url, ping, headers))).status).toBe(400)
      expect((await fetch(postRequest(node.url, initialized, headers))).status).toBe(400)
      expect((await fetch(node.url, { headers: { ...headers, accept: 'text/event-stream' } })).status).toBe(400)
      expect((await fetch(node.url, { method: 'DELETE', headers })).status).toBe(400)
      expect((await client.post(ping)).status).toBe(200)
    },
  )

  it('DELETE ends the session: 404 on every method from then on', async () => {
    const { client } = await start()
    const stream = sseEvents(await client.get())
    await stream.next()
    expect((await client.delete()).status).toBe(200)
    expect(await stream.next()).toBeUndefined()
    const after = await Promise.all([client.post(ping), client.post(initialized), client.post(answer), client.get(), client.delete()])
    expect(after.map(({ status }) => status)).toEqual([404, 404, 404, 404, 404])
  })

  it('a client that goes away has cancelled nothing', async () => {
    const { url, holds, underway } = await holdingNode({ jsonWaitMs: 0 })
    const client = await rawClient(url, { version })
    const stream = sseEvents(await client.call('hold', { word: 'amber' }))
    await underway
    const id = (await stream.next())?.id ?? (await stream.next())?.id ?? ''
    await stream.cancel()
    holds.get('amber')?.()
    const resumed = sseEvents(await client.get({ 'last-event-id': id }))
    expect((await resumed.rest()).at(-1)?.data).toContain('"result"')
  })
})

describe('a body', () => {
  const send = async (options: NodeOptions, headers: Record<string, string>, parsedBody: unknown): Promise<Response> => {
    const node = await startNode(memoryBackend(), options)
    const { sessionId } = await rawClient(node.url)
    return node.handler.fetch(postRequest(node.url, 'read in front', { 'mcp-session-id': sessionId, ...headers }), { parsedBody })
  }
  const text = JSON.stringify(ping)

  it.each([
    ['an object', ping],
    ['text', text],
    ['bytes', Buffer.from(text)],
    ['bytes with a byte order mark', Buffer.from(`\uFEFF${text}`)],
  ])('that was read in front is served as %s', async (_, body) => {
    expect(await (await send({}, {}, body)).json()).toMatchObject({ id: 1, result: {} })
  })

  it.each([
    ['an object', { ...ping, params: { text: 'x'.repeat(1_000) } }],
    ['text', text.padEnd(1_001)],
    ['bytes', Buffer.from(text.padEnd(1_001))],
  ])('that was read in front as %s has the same bound', async (_, body) => {
    expect((await send({ maxBodyBytes: 1_000 }, {}, body)).status).toBe(413)
  })

  it('that was decoded in front is served, whatever its headers say', async () => {
    // More than the bound as it came, and less as it is: the bound is for what is served.
    const headers = { 'content-encoding': 'gzip', 'content-length': '1001' }
    expect((await send({ maxBodyBytes: 1_000 }, headers, ping)).status).toBe(200)
  })

  it('that is compressed is told what would be taken', async () => {
    const node = await startNode(memoryBackend())
    const headers = { ...known, 'content-encoding': 'br' }
    const { status, headers: given } = await sendPlain(node.url, { headers, body: text })
    expect([status, given['accept-encoding']]).toEqual([415, 'identity'])
  })
})

describe('Host and Origin', () => {
  const ask = async (
    headers: Record<string, string | readonly string[]>,
    options: NodeOptions = {},
    method = 'POST',
  ): Promise<PlainAnswer> => {
    const node = await startNode(memoryBackend(), { allowedOrigins: ['https://app.example'], ...options })
    return sendPlain(node.url, { method, headers: { ...known, ...headers }, body: JSON.stringify(initializeBody()) })
  }

  it.each([
    ['an empty Origin', { origin: '' }],
    ['Origin null', { origin: 'null' }],
    ['two Origins', { origin: ['https://app.example', 'https://evil.example'] }],
    ['two Hosts', { host: ['localhost', 'evil.example'] }],
  ])('%s is 403', async (_, headers) => {
    expect((await ask(headers)).status).toBe(403)
  })

  it('a preflight of a listed origin is 204 and allows the headers and methods of the protocol', async () => {
    const asked = { origin: 'https://app.example', 'access-control-request-method': 'DELETE' }
    const { status, headers } = await ask(asked, {}, 'OPTIONS')
    expect(status).toBe(204)
    expect(headers['access-control-allow-origin']).toBe('https://app.example')
    expect(String(headers['access-control-allow-methods']).split(', ')).toEqual(expect.arrayContaining(['GET', 'POST', 'DELETE']))
    const wanted = ['content-type', 'accept', 'authorization', 'mcp-session-id', 'mcp-protocol-version', 'last-event-id']
    expect(String(headers['access-control-allow-headers']).toLowerCase().split(', ')).toEqual(expect.arrayContaining(wanted))
    expect((await ask({ ...asked, origin: 'https://evil.example' }, {}, 'OPTIONS')).status).toBe(403)
  })

  it('a page of a listed origin reads the session id, where to get a token, and when to come back', async () => {
    for (const options of [{}, { principal: () => undefined }] satisfies NodeOptions[]) {
      const { headers } = await ask({ origin: 'https://app.example' }, options)
      const exposed = String(headers['access-control-expose-headers']).split(', ')
      expect(exposed).toEqual(expect.arrayContaining(['Mcp-Session-Id', 'WWW-Authenticate', 'Retry-After']))
      expect(headers.vary).toBe('Origin')
    }
    const { headers } = await ask({})
    expect([headers['access-control-allow-origin'], headers.vary]).toEqual([undefined, 'Origin'])
  })
})
