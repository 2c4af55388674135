import { memoryBackend } from '@mcp-session/memory'
import { describe, expect, it } from 'vitest'
import type { AuthInfo, SessionHandlerOptions } from '../src/index.ts'
import { type Counter, serverFactory } from './mcp-servers.ts'
import { holdingNode, startNode } from './nodes.ts'
import { knownSession, type RawClient, rawClient, sseEvents } from './raw-client.ts'
import { sharedStore } from './shared-store.ts'

const start = 1_000_000

/** A node whose clock stands still until the test moves it, and a client whose token expires. */
async function tokenNode(options: Partial<SessionHandlerOptions<Counter>>) {
  const clock = { now: start }
  // Without signals: only polls, and the token, wake a stream that nobody writes to.
  const { signals: _none, ...backend } = memoryBackend()
  const node = await startNode(backend, { jsonWaitMs: 0, now: () => clock.now, ...options })
  const authInfo = (expiresAt: number): AuthInfo => ({ token: 't', clientId: 'c', scopes: [], expiresAt })
  const client: RawClient = await rawClient(node.url, {
    send: (request) => node.handler.fetch(request, { authInfo: authInfo(start / 1_000 + 1) }),
  })
  return { node, clock, client, authInfo }
}

describe('a stream', () => {
  it('ends when the token expires that it was asked for with, and a refreshed one goes on with it', async () => {
    const { node, clock, client, authInfo } = await tokenNode({})
    const events = sseEvents(await client.get())
    const priming = await events.next()
    clock.now = start + 999
    await client.call('notify', { word: 'in time' })
    expect((await events.next())?.data).toContain('in time')
    clock.now = start + 1_000
    expect(await events.next()).toMatchObject({ retry: '50', data: undefined })
    expect(await events.next()).toBeUndefined()
    const refreshed = knownSession(node.url, client.sessionId, {
      send: (request) => node.handler.fetch(request, { authInfo: authInfo(start / 1_000 + 3_600) }),
    })
    const again = sseEvents(await refreshed.get({ 'last-event-id': priming?.id ?? '' }))
    await again.next()
    expect((await again.next())?.data).toContain('in time')
    await again.cancel()
  })

  it('ends at that instant, without waiting for the next look', async () => {
    const { clock, client } = await tokenNode({ pollIntervalMs: 2_000_000, jsonWaitMs: 60_000 })
    clock.now = start + 900
    const events = sseEvents(await client.get())
    await events.next()
    const end = events.next()
    // A plain call leaves no trace in the log: when it is answered, the stream has long looked there in vain.
    expect((await client.post({ jsonrpc: '2.0', id: 1, method: 'ping' })).status).toBe(200)
    clock.now = start + 1_000
    expect(await end).toMatchObject({ retry: '50', data: undefined })
    expect(await events.next()).toBeUndefined()
  })

  it('of a call ends with its token as well, and the call goes on', async () => {
    const holds = new Map<string, () => void>()
    const { node, clock, client, authInfo } = await tokenNode({ server: serverFactory(2, { holds }) })
    const events = sseEvents(await client.call('hold', { word: 'late' }))
    const priming = await events.next()
    await events.next()
    clock.now = start + 1_000
    expect((await events.rest()).map(({ retry }) => retry)).toEqual(['50'])
    holds.get('late')?.()
    const refreshed = knownSession(node.url, client.sessionId, {
      send: (request) => node.handler.fetch(request, { authInfo: authInfo(start / 1_000 + 3_600) }),
    })
    const rest = await sseEvents(await refreshed.get({ 'last-event-id': priming?.id ?? '' })).rest()
    expect(rest.at(-1)?.data).toContain('late')
  })
})

describe('a session', () => {
  it('lives as long as a stream is open or a call runs, and dies with its idle window otherwise', async () => {
    const clock = { now: start }
    const expired: unknown[] = []
    const node = await holdingNode({
      now: () => clock.now,
      ttlMs: 10_000,
      pollIntervalMs: 8,
      jsonWaitMs: 60_000,
      hooks: { expired: ({ sessionId }) => expired.push(sessionId) },
    })
    const client = await rawClient(node.url)
    const dormant = await rawClient(node.url)
    const stream = sseEvents(await client.get())
    await stream.next()
    await outlive(node.handler.sessions, client.sessionId, clock, 5)
    await stream.cancel()
    // Without a progress token: a plain call, which has no stream that would count as access.
    const params = { name: 'hold', arguments: { word: 'busy' } }
    const call = client.post({ jsonrpc: '2.0', id: 'busy', method: 'tools/call', params })
    await node.underway
    await outlive(node.handler.sessions, client.sessionId, clock, 5)
    expect((await dormant.call('count')).status).toBe(404)
    node.holds.get('busy')?.()
    expect((await call).status).toBe(200)
    clock.now += 20_000
    expect((await client.call('count')).status).toBe(404)
    // Their servers notice it at the next poll.
    while (expired.length < 2) await new Promise(setImmediate)
    expect(new Set(expired)).toEqual(new Set([client.sessionId, dormant.sessionId]))
  })

  it('ends at its absolute lifetime, whatever is open, and its streams with it', async () => {
    const clock = { now: start }
    const expired: unknown[] = []
    const node = await startNode((await sharedStore('memory'))(), {
      now: () => clock.now,
      maxLifetimeMs: 5_000,
      hooks: { expired: (event) => expired.push(event) },
    })
    const client = await rawClient(node.url)
    const stream = sseEvents(await client.get())
    await stream.next()
    clock.now += 5_000
    expect(await stream.next()).toBeUndefined()
    expect((await client.call('count')).status).toBe(404)
    expect(expired).toEqual([{ sessionId: client.sessionId, owner: null }])
  })
})

interface Listed {
  list(): Promise<{ readonly sessions: readonly { readonly id: string }[] }>
}

/** Moves the clock past several idle windows, in steps that the accesses of what is open can keep up with. */
async function outlive(sessions: Listed, id: string, clock: { now: number }, windows: number): Promise<void> {
  const end = clock.now + windows * 10_000
  while (clock.now < end) {
    const before = await accessOf(sessions, id)
    clock.now += 4_000
    while ((await accessOf(sessions, id)) === before) await new Promise(setImmediate)
  }
}

/** Reading a listing is no access. */
async function accessOf(sessions: Listed, id: string): Promise<unknown> {
  const found = (await sessions.list()).sessions.find((session) => session.id === id)
  if (found === undefined || !('lastAccessedAt' in found)) throw new Error('the session has expired')
  return found.lastAccessedAt
}
