import { memoryBackend } from '@mcp-session/memory'
import { describe, expect, it } from 'vitest'
import { createLimit } from '../src/create-rate.ts'
import type { SessionHandlerOptions } from '../src/index.ts'
import type { Counter } from './mcp-servers.ts'
import { startNode } from './nodes.ts'
import { initializeBody, knownSession, postRequest, sseEvents } from './raw-client.ts'
import { sharedStore } from './shared-store.ts'

type Options = Partial<SessionHandlerOptions<Counter>>

const byHeader: SessionHandlerOptions['principal'] = ({ request }) => ['issuer', request?.headers.get('x-user') ?? '', 'client']

/** A node whose clock stands still until the test moves it. */
async function timedNode(options: Options) {
  const clock = { now: 1_000_000 }
  const ended: unknown[] = []
  const node = await startNode(memoryBackend(), {
    principal: byHeader,
    now: () => clock.now,
    hooks: { terminated: ({ sessionId, by }) => ended.push([sessionId, by]) },
    ...options,
  })
  const initialize = async (user: string): Promise<Response> => {
    clock.now += 1
    return fetch(postRequest(node.url, initializeBody(), { 'x-user': user }))
  }
  const session = async (user: string) => (await initialize(user)).headers.get('mcp-session-id') ?? 'none'
  const as = (user: string, id: string) =>
    knownSession(node.url, id, {
      send: (request) => {
        request.headers.set('x-user', user)
        return fetch(request)
      },
    })
  return { node, clock, ended, initialize, session, as }
}

const ping = { jsonrpc: '2.0', id: 'ping', method: 'ping' }

describe('maxSessionsPerPrincipal', () => {
  it('ends the longest idle session of that principal, and of nobody else', async () => {
    const { clock, ended, session, as } = await timedNode({ maxSessionsPerPrincipal: 2, touchIntervalMs: 1 })
    const other = await session('bob')
    const first = await session('alice')
    const second = await session('alice')
    clock.now += 1
    expect((await as('alice', first).post(ping)).status).toBe(200)
    const third = await session('alice')
    expect((await as('alice', second).post(ping)).status).toBe(404)
    for (const id of [first, third]) expect((await as('alice', id).post(ping)).status).toBe(200)
    expect((await as('bob', other).post(ping)).status).toBe(200)
    expect(ended).toEqual([[second, 'limit']])
  })

  it('spares sessions with an open stream, and answers 429 where all have one', async () => {
    const { session, as, initialize } = await timedNode({ maxSessionsPerPrincipal: 2 })
    const [first, second] = [await session('alice'), await session('alice')]
    const stream = sseEvents(await as('alice', first).get())
    await stream.next()
    const third = await session('alice')
    expect((await as('alice', second).post(ping)).status).toBe(404)
    const other = sseEvents(await as('alice', third).get())
    await other.next()
    const refused = await initialize('alice')
    expect(refused.status).toBe(429)
    expect(refused.headers.get('retry-after')).toBe('60')
    expect((await initialize('bob')).status).toBe(200)
    await Promise.all([stream.cancel(), other.cancel()])
  })

  it('holds for many sessions in a row, on two nodes together as well', async () => {
    const store = await sharedStore('memory')
    const options: Options = { maxSessionsPerPrincipal: 5, principal: byHeader }
    const nodes = [await startNode(store(), options), await startNode(store(), options)]
    for (let count = 0; count < 40; count += 1) {
      const node = nodes[count % 2] ?? nodes[0]
      const answer = await fetch(postRequest(node?.url ?? new URL('http://none'), initializeBody(), { 'x-user': 'alice' }))
      expect(answer.status).toBe(200)
    }
    // Each node counts anew every ten seconds; between two counts it may be off by what the other one has made.
    expect(await nodes[0]?.handler.sessions.count()).toBeLessThanOrEqual(10)
  })

  it('does not concern anonymous clients', async () => {
    const { session, node } = await timedNode({ maxSessionsPerPrincipal: 1, principal: 'anonymous' })
    for (let count = 0; count < 3; count += 1) await session('whoever')
    expect(await node.handler.sessions.count()).toBe(3)
  })
})

describe('createRate', () => {
  it('answers 429 with Retry-After beyond it, for each principal apart, and makes nothing', async () => {
    const { node, clock, session, initialize } = await timedNode({ createRate: { sessions: 2, perMs: 10_000 } })
    await session('alice')
    await session('alice')
    const refused = await initialize('alice')
    expect(refused.status).toBe(429)
    expect(refused.headers.get('retry-after')).toBe('5')
    expect(await refused.json()).toMatchObject({ error: { code: -32000 } })
    expect((await initialize('bob')).status).toBe(200)
    expect(await node.handler.sessions.count()).toBe(3)
    clock.now += 5_000
    expect((await initialize('alice')).status).toBe(200)
    expect((await initialize('alice')).status).toBe(429)
  })

  it('forgets principals who have waited long enough', () => {
    const clock = { now: 0 }
    const limit = createLimit({ sessions: 1, perMs: 1_000 }, () => clock.now)
    for (let user = 0; user < 1_024; user += 1) expect(limit.waitMs(`${user}`)).toBe(0)
    clock.now += 1_000
    expect(limit.waitMs('one more')).toBe(0)
    expect(limit.size()).toBe(1)
    expect(limit.waitMs('one more')).toBe(1_000)
  })

  it('neither grants nor takes anything when the clock goes back', () => {
    const clock = { now: 10_000 }
    const limit = createLimit({ sessions: 1, perMs: 1_000 }, () => clock.now)
    expect(limit.waitMs('a')).toBe(0)
    clock.now = 0
    expect(limit.waitMs('a')).toBe(1_000)
    clock.now += 1_000
    expect(limit.waitMs('a')).toBe(0)
  })
})
