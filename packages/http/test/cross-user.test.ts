import { describe, expect, it, onTestFinished } from 'vitest'
import { type AuthInfo, createSessionHandler } from '../src/index.ts'
import { counterSchema, serverFactory } from './mcp-servers.ts'
import { knownSession, postRequest, type RawClient, rawClient, type Send, sseEvents } from './raw-client.ts'
import { sharedStore } from './shared-store.ts'

const url = new URL('http://localhost/mcp')
const ping = { jsonrpc: '2.0', id: 1, method: 'ping' }
const unknownId = `s_${'A'.repeat(43)}`
const alice: AuthInfo = { token: 'one', clientId: 'client', scopes: [], extra: { iss: 'https://issuer', sub: 'alice' } }

/** A handler whose clock stands still, and a session of alice with a stream that can be resumed. */
async function session(engine: 'memory' | 'sqlite', major: 1 | 2) {
  const clock = { now: 1_000_000 }
  const made: string[] = []
  const handler = await createSessionHandler({
    backend: (await sharedStore(engine))(),
    schema: counterSchema,
    now: () => clock.now,
    touchIntervalMs: 1,
    jsonWaitMs: 0,
    server(context) {
      made.push(context.session.id)
      return serverFactory(major)(context)
    },
    principal: ({ authInfo }) => authInfo && [authInfo.extra?.['iss'], authInfo.extra?.['sub'], authInfo.clientId],
  })
  onTestFinished(() => handler.close())
  const as =
    (authInfo: AuthInfo | undefined): Send =>
    (request) =>
      handler.fetch(request, { authInfo })
  const client = await rawClient(url, { send: as(alice) })
  const [priming] = await sseEvents(await client.call('count')).rest()
  const state = async () => ({ sessions: (await handler.sessions.list()).sessions, factories: made.length })
  return { handler, clock, client, as, cursor: priming?.id ?? 'none', state }
}

async function everything(response: Response): Promise<unknown> {
  return { status: response.status, headers: [...response.headers], body: await response.text() }
}

const asks: [string, (client: RawClient, cursor: string) => Promise<Response>][] = [
  ['POST', (client) => client.post(ping)],
  ['POST of a notification', (client) => client.post({ jsonrpc: '2.0', method: 'notifications/roots/list_changed' })],
  ['POST of an answer', (client) => client.post({ jsonrpc: '2.0', id: 'x', result: {} })],
  ['GET', (client) => client.get()],
  ['resume', (client, cursor) => client.get({ 'last-event-id': cursor })],
  ['DELETE', (client) => client.delete()],
]
const strangers: [string, AuthInfo][] = [
  ['another subject', { ...alice, extra: { ...alice.extra, sub: 'bob' } }],
  ['another issuer', { ...alice, extra: { ...alice.extra, iss: 'https://evil' } }],
  ['another client', { ...alice, clientId: 'other' }],
]

describe.each([
  { engine: 'memory', major: 1 },
  { engine: 'sqlite', major: 2 },
] as const)('a session on $engine, SDK v$major', ({ engine, major }) => {
  it.each(strangers)('is unknown to %s, whatever is asked, and is not touched', async (_, stranger) => {
    const { clock, as, client, cursor, state } = await session(engine, major)
    const before = await state()
    clock.now += 1_000
    for (const [name, ask] of asks) {
      const known = await everything(await ask(knownSession(url, client.sessionId, { send: as(stranger) }), cursor))
      const unknown = await everything(await ask(knownSession(url, unknownId, { send: as(stranger) }), cursor))
      expect(known, name).toEqual(unknown)
      expect(known, name).toMatchObject({ status: 404 })
    }
    expect(await state()).toEqual(before)
  })

  it('is nobody’s without a principal: 401 with the same bytes, known or not', async () => {
    const { clock, as, client, cursor, state } = await session(engine, major)
    const before = await state()
    clock.now += 1_000
    const answers: unknown[] = []
    for (const [, ask] of asks) {
      for (const id of [client.sessionId, unknownId]) {
        answers.push(await everything(await ask(knownSession(url, id, { send: as(undefined) }), cursor)))
      }
    }
    for (const answer of answers) expect(answer).toEqual(answers[0])
    expect(answers[0]).toMatchObject({ status: 401 })
    expect(await state()).toEqual(before)
  })

  it('goes on with a refreshed token of its owner', async () => {
    const { as, client, cursor } = await session(engine, major)
    const refreshed = knownSession(url, client.sessionId, { send: as({ ...alice, token: 'two', scopes: ['more'] }) })
    expect(await sseEvents(await refreshed.get({ 'last-event-id': cursor })).rest()).toHaveLength(2)
    expect((await refreshed.post(ping)).status).toBe(200)
    expect((await refreshed.delete()).status).toBe(200)
  })

  it('is not found by an id of another kind', async () => {
    const { as, state } = await session(engine, major)
    const before = await state()
    for (const id of [`cart_${'A'.repeat(43)}`, `!node_${'A'.repeat(16)}`]) {
      const client = knownSession(url, id, { send: as(alice) })
      const answers = await Promise.all(asks.map(async ([, ask]) => everything(await ask(client, '0.0.0.AAAAAAAA'))))
      const unknown = await everything(await as(alice)(postRequest(url, ping, { 'mcp-session-id': unknownId })))
      for (const answer of answers) expect(answer).toEqual(unknown)
    }
    expect(await state()).toEqual(before)
  })
})
