import { memoryBackend } from '@mcp-session/memory'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { AuthInfo } from '../src/index.ts'
import { createSessionHandler } from '../src/index.ts'
import { counterSchema, serverFactory } from './mcp-servers.ts'
import { startNode } from './nodes.ts'
import { initializeBody, knownSession, postRequest, rawClient, type Send } from './raw-client.ts'
import { sharedStore } from './shared-store.ts'

const url = new URL('http://localhost/mcp')
const ping = { jsonrpc: '2.0', id: 1, method: 'ping' }

function authInfo(subject: string, token = 'token'): AuthInfo {
  return { token, clientId: 'client', scopes: [], extra: { iss: 'https://issuer', sub: subject } }
}

/** A handler that is asked without a network, by as many users as a test wants. */
async function users() {
  let factoryCalls = 0
  const handler = await createSessionHandler({
    backend: memoryBackend(),
    schema: counterSchema,
    server: (context) => {
      factoryCalls += 1
      return serverFactory(2)(context)
    },
    principal: ({ authInfo: info }) => info && [info.extra?.['iss'], info.extra?.['sub'], info.clientId],
  })
  onTestFinished(() => handler.close())
  const as =
    (info: AuthInfo | undefined): Send =>
    (request) =>
      handler.fetch(request, { authInfo: info })
  return { handler, as, factoryCalls: () => factoryCalls }
}

async function everything(response: Response): Promise<unknown> {
  return { status: response.status, headers: [...response.headers], body: await response.text() }
}

describe('404', () => {
  it('has the same bytes for unknown, foreign, deleted and malformed ids, on every method, and calls no factory', async () => {
    const { as, handler, factoryCalls } = await users()
    const alice = await rawClient(url, { send: as(authInfo('alice')) })
    const deleted = await rawClient(url, { send: as(authInfo('bob')) })
    expect((await deleted.delete()).status).toBe(200)
    const bob = (sessionId: string) => knownSession(url, sessionId, { send: as(authInfo('bob')) })
    const before = factoryCalls()
    const ids = [alice.sessionId, deleted.sessionId, `s_${'A'.repeat(43)}`, 'cart_x', '../evil', 'x'.repeat(300)]
    for (const request of [
      (id: string) => bob(id).post(ping),
      (id: string) => bob(id).get(),
      (id: string) => bob(id).get({ 'last-event-id': '0.0.0.AAAAAAAA' }),
      (id: string) => bob(id).delete(),
    ]) {
      const answers = await Promise.all(ids.map(async (id) => everything(await request(id))))
      for (const answer of answers) expect(answer).toEqual(answers[0])
      expect(answers[0]).toMatchObject({ status: 404, body: expect.stringContaining('-32001') })
    }
    expect(factoryCalls()).toBe(before)
    expect((await alice.post(ping)).status).toBe(200)
    expect(await handler.sessions.count()).toBe(1)
  })

  it('is not given for a foreign session’s sake: the owner goes on with a refreshed token', async () => {
    const { as } = await users()
    const alice = await rawClient(url, { send: as(authInfo('alice')) })
    const refreshed = knownSession(url, alice.sessionId, { send: as(authInfo('alice', 'another token')) })
    expect((await refreshed.post(ping)).status).toBe(200)
    for (const stranger of [
      authInfo('bob'),
      { ...authInfo('alice'), clientId: 'other' },
      { ...authInfo('alice'), extra: { iss: 'https://evil', sub: 'alice' } },
    ]) {
      expect((await knownSession(url, alice.sessionId, { send: as(stranger) }).post(ping)).status).toBe(404)
    }
  })

  it('is given for a session that has expired', async () => {
    let now = 1_000_000
    const node = await startNode(memoryBackend(), { ttlMs: 60_000, now: () => now })
    const client = await rawClient(node.url)
    now += 59_999
    expect((await client.post(ping)).status).toBe(200)
    now += 60_000
    expect((await client.post(ping)).status).toBe(404)
  })
})

describe('401', () => {
  it('is given to nobody before any lookup, with the same bytes for known and unknown ids', async () => {
    const { as, handler } = await users()
    const alice = await rawClient(url, { send: as(authInfo('alice')) })
    const { hits, misses } = handler.sessions.metrics()
    const known = knownSession(url, alice.sessionId, { send: as(undefined) })
    const unknown = knownSession(url, `s_${'A'.repeat(43)}`, { send: as(undefined) })
    const answer = await everything(await known.post(ping))
    expect(answer).toMatchObject({ status: 401 })
    expect(await everything(await unknown.post(ping))).toEqual(answer)
    expect(await everything(await known.get())).toEqual(answer)
    expect(await everything(await known.delete())).toEqual(answer)
    expect(await everything(await as(undefined)(postRequest(url, initializeBody())))).toEqual(answer)
    expect(handler.sessions.metrics()).toMatchObject({ hits, misses })
  })

  it.each([
    [
      'a throw',
      () => {
        throw new Error('no')
      },
    ],
    ['an empty array', () => []],
    ['an empty part', () => ['issuer', '']],
    ['a part that is no string', () => ['issuer', 7]],
    ['a missing part', () => ['issuer', undefined]],
    ['more than 1,024 bytes', () => ['x'.repeat(1_024)]],
  ])('is given where the principal is %s', async (_, principal) => {
    const handler = await createSessionHandler({ backend: memoryBackend(), server: serverFactory(1), schema: counterSchema, principal })
    onTestFinished(() => handler.close())
    expect((await handler.fetch(postRequest(url, initializeBody()))).status).toBe(401)
    await expect(handler.ownerOf(undefined)).rejects.toThrow(TypeError)
  })

  it('is told to onError where somebody asked whom the principal function could not name', async () => {
    const errors: unknown[] = []
    const handler = await createSessionHandler({
      backend: memoryBackend(),
      server: serverFactory(1),
      schema: counterSchema,
      principal: ({ authInfo: info }) => info && [info.extra?.['iss'], info.clientId],
      onError: (error) => errors.push(error),
    })
    onTestFinished(() => handler.close())
    const ask = (authInfo?: AuthInfo) => handler.fetch(postRequest(url, initializeBody()), { authInfo })
    expect((await ask()).status).toBe(401)
    expect(errors).toEqual([])
    expect((await ask({ token: 't', clientId: 'c', scopes: [] })).status).toBe(401)
    expect(errors.map(String)).toEqual([expect.stringMatching(/element 0 is undefined/)])
  })
})

describe('400', () => {
  const initializedNotification = { jsonrpc: '2.0', method: 'notifications/initialized' }

  it.each([
    ['JSON that ends too early', '{"jsonrpc":"2.0",', -32700],
    ['no JSON-RPC', { id: 1, method: 'ping' }, -32600],
    ['a member that SDK servers refuse without an answer', { ...ping, extra: 1 }, -32600],
    ['parameters that are no object', { ...ping, params: [1] }, -32600],
    ['a progress token that is an object', { ...ping, params: { _meta: { progressToken: {} } } }, -32600],
    ['an id that is null', { ...ping, id: null }, -32600],
    ['an empty batch', [], -32600],
    ['101 messages', Array.from({ length: 101 }, () => initializedNotification), -32600],
    ['a second initialize', initializeBody(), -32600],
  ])('is given for %s', async (_, body, code) => {
    const node = await startNode(memoryBackend())
    const answer = await (await rawClient(node.url)).post(body)
    expect(answer.status).toBe(400)
    expect(await answer.json()).toMatchObject({ jsonrpc: '2.0', id: null, error: { code } })
    expect(node.errors).toEqual([])
  })

  it('is given for a missing id, and for initialize in a batch', async () => {
    const node = await startNode(memoryBackend())
    expect((await fetch(postRequest(node.url, ping))).status).toBe(400)
    expect((await fetch(postRequest(node.url, [initializeBody()]))).status).toBe(400)
    expect((await fetch(node.url, { headers: { accept: 'text/event-stream' } })).status).toBe(400)
    expect((await fetch(node.url, { method: 'DELETE' })).status).toBe(400)
    expect(await node.handler.sessions.count()).toBe(0)
  })

  it('is given for a protocol version that nobody speaks, and none is needed', async () => {
    const node = await startNode(memoryBackend())
    const client = await rawClient(node.url)
    for (const version of ['2026-07-28', '1.0', '']) {
      expect((await client.post(ping, { 'mcp-protocol-version': version })).status).toBe(400)
      expect((await client.get({ 'mcp-protocol-version': version })).status).toBe(400)
    }
    expect((await fetch(postRequest(node.url, ping, { 'mcp-session-id': client.sessionId }))).status).toBe(200)
  })

  it('is given for a Last-Event-ID that is malformed, foreign, of no stream, or in the future', async () => {
    const node = await startNode(memoryBackend(), { jsonWaitMs: 0 })
    const client = await rawClient(node.url)
    const foreign = await rawClient(node.url)
    const idOf = async (response: Response) => /id: (\S+)/.exec(await response.text())?.[1] ?? ''
    const own = await idOf(await client.call('count'))
    const [opening, sequence, unanswered, tag] = own.split('.')
    const cursors = [
      'nonsense',
      `${own}x`,
      await idOf(await foreign.call('count')),
      `${opening}.${Number(sequence) + 1_000}.${unanswered}.${tag}`,
      `${Number(opening) + 1}.${Number(opening) + 1}.1.${tag}`,
      `0.99.0.${tag}`,
    ]
    for (const cursor of cursors) expect((await client.get({ 'last-event-id': cursor })).status, cursor).toBe(400)
  })

  it('is given for initialize parameters that no session can hold', async () => {
    const node = await startNode(memoryBackend())
    const body = JSON.stringify(initializeBody()).replace('"capabilities":{}', '"capabilities":{"__proto__":{"roots":{}}}')
    expect((await fetch(postRequest(node.url, body))).status).toBe(400)
    expect(await node.handler.sessions.count()).toBe(0)
  })
})

describe('other statuses', () => {
  it('405 names the methods that there are', async () => {
    const node = await startNode(memoryBackend())
    const answer = await fetch(node.url, { method: 'PUT' })
    expect(answer.status).toBe(405)
    expect(answer.headers.get('allow')).toBe('GET, POST, DELETE')
  })

  it('406 for clients that cannot take both kinds of answer', async () => {
    const node = await startNode(memoryBackend())
    expect((await fetch(postRequest(node.url, initializeBody(), { accept: 'application/json' }))).status).toBe(406)
    const client = await rawClient(node.url)
    expect((await client.get({ accept: 'application/json' })).status).toBe(406)
  })

  it('413 for more bytes than allowed, parsed in front or not', async () => {
    const node = await startNode(memoryBackend(), { maxBodyBytes: 1_000 })
    const client = await rawClient(node.url)
    const big = { ...ping, params: { text: 'x'.repeat(1_000) } }
    expect((await client.post(big)).status).toBe(413)
    const request = postRequest(node.url, '', { 'mcp-session-id': client.sessionId })
    expect((await node.handler.fetch(request, { parsedBody: big })).status).toBe(413)
    expect((await node.handler.fetch(request, { parsedBody: ping })).status).toBe(200)
  })

  it('415 for another content type, whatever its parameters say', async () => {
    const node = await startNode(memoryBackend())
    expect((await fetch(postRequest(node.url, ping, { 'content-type': 'text/plain; a=application/json' }))).status).toBe(415)
    expect((await fetch(postRequest(node.url, initializeBody(), { 'content-type': 'application/json;charset=utf-8' }))).status).toBe(200)
  })

  it('500 where the factory throws; a restored session outlives it, a new one is taken away', async () => {
    const store = await sharedStore('sqlite')
    const good = await startNode(store())
    const client = await rawClient(good.url)
    let isBroken = true
    const bad = await startNode(store(), {
      server(context) {
        if (isBroken) throw new Error('factory is broken')
        return serverFactory(1)(context)
      },
    })
    const there = knownSession(bad.url, client.sessionId)
    expect((await there.post(ping)).status).toBe(500)
    expect((await fetch(postRequest(bad.url, initializeBody()))).status).toBe(500)
    expect(bad.errors).toEqual([new Error('factory is broken'), new Error('factory is broken')])
    expect(await bad.handler.sessions.count()).toBe(1)
    isBroken = false
    expect((await there.post(ping)).status).toBe(200)
  })

  it('503 with Retry-After, and never 404, while the store does not answer', async () => {
    const backend = memoryBackend()
    const node = await startNode(backend)
    const client = await rawClient(node.url)
    const events = await client.get()
    // Sessions and heartbeats have opened it.
    await backend.close()
    await backend.close()
    const unknown = knownSession(node.url, `s_${'A'.repeat(43)}`)
    for (const answer of [
      await client.post(ping),
      await unknown.post(ping),
      await client.get(),
      await client.delete(),
      await fetch(postRequest(node.url, initializeBody())),
    ]) {
      expect(answer.status).toBe(503)
      expect(answer.headers.get('retry-after')).toBe('2')
    }
    await events.body?.cancel()
  })

  it('503 where all live servers of the node are busy, and an idle one makes room', async () => {
    const holds = new Map<string, () => void>()
    const node = await startNode(memoryBackend(), { liveSessions: 1, server: serverFactory(2, { holds }) })
    const first = await rawClient(node.url)
    const busy = first.call('hold', { word: 'busy' })
    const held = await busy
    expect((await fetch(postRequest(node.url, initializeBody()))).status).toBe(503)
    holds.get('busy')?.()
    await held.text()
    const second = await rawClient(node.url)
    expect((await second.post(ping)).status).toBe(200)
    expect((await first.post(ping)).status).toBe(200)
  })
})
