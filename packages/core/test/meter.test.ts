import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { describe, expect, it, onTestFinished } from 'vitest'
import { after, fails, lostReply } from './reactions.ts'
import { DriverError, scriptedBackend } from './scripted-backend.ts'
import { failure, openStore, sessionFailure } from './store.ts'

/** What a channel is told until the test has finished. */
function listenTo(name: string): Record<string, unknown>[] {
  const heard: Record<string, unknown>[] = []
  const listener = (message: unknown) => void heard.push(message as Record<string, unknown>)
  subscribe(name, listener)
  onTestFinished(() => void unsubscribe(name, listener))
  return heard
}

describe('metrics', () => {
  it('are all zero at first', async () => {
    const { sessions } = await openStore()
    expect(sessions.metrics()).toEqual({
      created: 0,
      hits: 0,
      misses: 0,
      hitRate: 0,
      updated: 0,
      conflicts: 0,
      retries: 0,
      deleted: 0,
      expired: 0,
      evicted: 0,
      evictionRate: 0,
      touches: 0,
      touchesSkipped: 0,
      errors: {},
      latency: {},
    })
  })

  it('count what happens', async () => {
    const { sessions, backend, clock } = await openStore({ ttlMs: 1_000, touchIntervalMs: 500, cacheBytes: 0 })
    const { id } = await sessions.create({ n: 0 })
    const { id: other } = await sessions.create({ n: 0 })
    await sessions.retrieve(id)
    await sessions.retrieve(id)
    await sessions.retrieve(id)
    await sessions.retrieve('s_missing')
    clock.advance(600)
    await sessions.retrieve(id)
    backend.once(
      'replace',
      after(() => openStore({ backend, clock }).then(({ sessions: node }) => node.update(id, () => ({ n: 5 })))),
    )
    await sessions.update(id, () => ({ n: 1 }))
    backend.once('replace', lostReply)
    await sessions.update(id, () => ({ n: 2 }))
    await sessions.delete(id)
    clock.advance(1_000)
    await sessions.cleanupExpired()
    expect(await sessions.retrieve(other)).toBeUndefined()
    backend.once('get', fails(new Error('x')))
    await failure(sessions.retrieve(id))
    await failure(sessions.create({}, { id: 'bad' }))
    const { latency, ...counters } = sessions.metrics()
    expect(counters).toEqual({
      created: 2,
      hits: 6,
      misses: 2,
      hitRate: 6 / 8,
      updated: 2,
      conflicts: 1,
      retries: 1,
      deleted: 1,
      expired: 1,
      evicted: 0,
      evictionRate: 0,
      touches: 1,
      touchesSkipped: 3,
      errors: { MCP_SESSION_INTERNAL: 1 },
    })
    expect(Object.fromEntries(Object.entries(latency).map(([operation, { count }]) => [operation, count]))).toEqual({
      create: 3,
      retrieve: 7,
      update: 2,
      delete: 1,
      cleanupExpired: 1,
    })
    for (const { p50Ms, p99Ms, maxMs } of Object.values(latency)) {
      expect(p50Ms).toBeGreaterThan(0)
      expect(p99Ms).toBeGreaterThanOrEqual(p50Ms)
      expect(maxMs).toBeGreaterThanOrEqual(p99Ms)
    }
  })

  it('give evictions since the store was opened', async () => {
    let evicted = 7
    const { sessions } = await openStore({ backend: scriptedBackend({ evicted: () => evicted }) })
    for (let count = 0; count < 4; count += 1) await sessions.create({})
    evicted = 8
    expect(sessions.metrics()).toMatchObject({ evicted: 1, evictionRate: 0.25 })
  })

  it('are snapshots', async () => {
    const { sessions, backend } = await openStore()
    const before = sessions.metrics()
    backend.once('get', fails(new Error('x')))
    await failure(sessions.retrieve('s_x'))
    expect(before).toMatchObject({ errors: {}, latency: {} })
  })

  it('count the failures of a listing that is iterated, too', async () => {
    const { sessions, backend } = await openStore()
    backend.once('list', fails(new Error('x')))
    await sessionFailure(sessions.iterate().next())
    expect(sessions.metrics().errors).toEqual({ MCP_SESSION_INTERNAL: 1 })
  })
})

describe('node:diagnostics_channel', () => {
  it('is told of every operation and counter, of its backend and kind', async () => {
    const operations = listenTo('mcp-session:operation')
    const created = listenTo('mcp-session:created')
    const misses = listenTo('mcp-session:misses')
    const { sessions, backend } = await openStore({ kind: 'told' })
    const { id } = await sessions.create({})
    await sessions.retrieve('told_missing')
    backend.once('get', fails(new DriverError('x', { code: 'MCP_SESSION_UNAVAILABLE', retryable: true, outcome: 'none' })))
    await failure(sessions.retrieve(id))
    const labels = { backend: 'scripted', kind: 'told' }
    expect(operations.filter(({ kind }) => kind === 'told')).toEqual([
      { ...labels, operation: 'create', durationMs: expect.any(Number) },
      { ...labels, operation: 'retrieve', durationMs: expect.any(Number) },
      { ...labels, operation: 'retrieve', durationMs: expect.any(Number), code: 'MCP_SESSION_UNAVAILABLE' },
    ])
    expect(created.filter(({ kind }) => kind === 'told')).toEqual([{ ...labels, by: 1 }])
    expect(misses.filter(({ kind }) => kind === 'told')).toEqual([{ ...labels, by: 1 }])
  })

  it('never sees an id, an owner or a value', async () => {
    const names = [
      'operation',
      'created',
      'hits',
      'misses',
      'updated',
      'conflicts',
      'retries',
      'deleted',
      'expired',
      'touches',
      'touchesSkipped',
    ]
    const heard = names.map((name) => listenTo(`mcp-session:${name}`))
    const { sessions, backend, clock } = await openStore({ kind: 'quiet', touchIntervalMs: 1, ttlMs: 1_000 })
    const { id } = await sessions.create({ secret: 'secret-value' }, { owner: 'secret-owner', context: 'secret-context' })
    await sessions.retrieve(id)
    clock.advance(5)
    await sessions.retrieve(id, { owner: 'secret-owner' })
    backend.once('replace', lostReply)
    await sessions.update(id, () => ({ secret: 'secret-other' }))
    await sessions.list()
    await sessions.rotate(id)
    await sessions.deleteByOwner('secret-owner')
    backend.once('create', fails(new Error('secret-driver')))
    await failure(sessions.create({}, { id: 'quiet_secret-id' }))
    const text = JSON.stringify(heard)
    expect(heard.flat().filter(({ kind }) => kind === 'quiet').length).toBeGreaterThan(10)
    expect(text).not.toContain('secret')
    expect(text).not.toContain(id)
  })
})
