import { describe, expect, it, onTestFinished } from 'vitest'
import type { ErrorClass } from '../src/backend.ts'
import { type Metadata, openSessions, SessionError, type Sessions } from '../src/index.ts'
import { fails, hang, parked } from './reactions.ts'
import { DriverError, type ScriptedMethod, scriptedBackend } from './scripted-backend.ts'
import { failure, openStore, sessionFailure } from './store.ts'

const retention = { maxEvents: 10, maxAgeMs: 1_000, maxBytes: 1_000 }
const event = { key: 'k', stream: 's', data: 'text' }

const methods: [name: string, sent: ScriptedMethod, effect: 'read' | 'write', run: (sessions: Sessions, id: string) => Promise<unknown>][] =
  [
    ['create', 'create', 'write', (sessions) => sessions.create({})],
    ['create with an id', 'create', 'write', (sessions) => sessions.create({}, { id: 's_other' })],
    ['retrieve', 'get', 'read', (sessions, id) => sessions.retrieve(id)],
    ['update', 'get', 'read', (sessions, id) => sessions.update(id, () => ({ a: 2 }))],
    ['update', 'replace', 'write', (sessions, id) => sessions.update(id, () => ({ a: 2 }))],
    ['update of an equal value', 'touch', 'write', (sessions, id) => sessions.update(id, (metadata) => metadata)],
    ['updateContext', 'replace', 'write', (sessions, id) => sessions.updateContext(id, () => 'c')],
    ['delete', 'delete', 'write', (sessions, id) => sessions.delete(id)],
    ['delete with an owner', 'get', 'read', (sessions, id) => sessions.delete(id, { owner: 'alice' })],
    ['consume', 'get', 'read', (sessions, id) => sessions.consume(id)],
    ['consume', 'delete', 'write', (sessions, id) => sessions.consume(id)],
    ['setTtl', 'replace', 'write', (sessions, id) => sessions.setTtl(id, 5_000)],
    ['touch', 'get', 'read', (sessions, id) => sessions.touch(id)],
    ['touch', 'touch', 'write', (sessions, id) => sessions.touch(id)],
    ['rotate', 'replace', 'write', (sessions, id) => sessions.rotate(id)],
    ['rotate', 'create', 'write', (sessions, id) => sessions.rotate(id)],
    ['list', 'list', 'read', (sessions) => sessions.list()],
    ['count', 'list', 'read', (sessions) => sessions.count()],
    ['iterate', 'list', 'read', (sessions) => sessions.iterate().next()],
    ['cleanupExpired', 'deleteExpired', 'write', (sessions) => sessions.cleanupExpired()],
    ['deleteByOwner', 'list', 'read', (sessions) => sessions.deleteByOwner('alice')],
    ['deleteByOwner', 'delete', 'write', (sessions) => sessions.deleteByOwner('alice')],
    ['health', 'health', 'read', (sessions) => sessions.health()],
    ['append', 'append', 'write', async (sessions, id) => sessions.events?.append(id, event, retention)],
    ['read', 'read', 'read', async (sessions, id) => sessions.events?.read(id, { after: 0, limit: 1, maxAgeMs: 1 })],
    ['publish', 'publish', 'write', async (sessions) => sessions.signals?.publish('c', 'm')],
    ['subscribe', 'subscribe', 'read', async (sessions) => sessions.signals?.subscribe('c', () => {})],
  ]

async function ownedStore(options: Parameters<typeof openStore<Metadata>>[0] = {}) {
  // Without a cache nothing is known, and every change begins with a read.
  const store = await openStore<Metadata>({ cacheBytes: 0, ...options })
  const { id } = await store.sessions.create({ a: 1 }, { owner: 'alice' })
  return { ...store, id }
}

describe('an engine that never answers', () => {
  it('fails every method by its deadline, at whichever step it hangs', async () => {
    const settled = methods.map(async ([name, sent, effect, run]) => {
      const { sessions, backend, id } = await ownedStore({ callTimeoutMs: 100 })
      backend.always(sent, hang)
      const startedAt = performance.now()
      const error = await sessionFailure(run(sessions, id))
      const lateMs = performance.now() - startedAt - 100
      // The bound is 100 ms; the rest is for a busy machine.
      return { name, sent, isLate: lateMs > 100 + 500, code: error.code, retryable: error.retryable, outcome: error.outcome, effect }
    })
    for (const { effect, ...outcome } of await Promise.all(settled)) {
      const expected = { isLate: false, code: 'MCP_SESSION_TIMEOUT', retryable: true, outcome: effect === 'read' ? 'none' : 'unknown' }
      expect(outcome).toEqual({ name: outcome.name, sent: outcome.sent, ...expected })
    }
  })

  it('never gets a call that is late already', async () => {
    const { sessions, backend, id } = await ownedStore({ callTimeoutMs: 20 })
    backend.once('get', async (apply) => {
      const answer = await apply()
      const until = performance.now() + 25
      while (performance.now() < until) await new Promise<void>((resolve) => setImmediate(resolve))
      return answer
    })
    expect(await sessionFailure(sessions.update(id, () => ({ a: 2 })))).toMatchObject({ code: 'MCP_SESSION_TIMEOUT', outcome: 'none' })
    expect(backend.count('replace')).toBe(0)
  })

  it('passes its deadline and its instant on', async () => {
    const { sessions, backend, clock, id } = await ownedStore({ callTimeoutMs: 500 })
    const before = performance.now()
    await sessions.retrieve(id)
    const call = backend.sent.find(({ method }) => method === 'get')?.args[1] as { now: number; deadlineAt: number }
    expect(call.now).toBe(clock.now())
    expect(call.deadlineAt).toBeGreaterThanOrEqual(before + 500)
    expect(call.deadlineAt).toBeLessThanOrEqual(performance.now() + 500)
    expect('signal' in call).toBe(false)
  })
})

describe('calls in flight', () => {
  it('are bounded: one more is OVERLOADED at once, and never sent', async () => {
    const { sessions, backend, id } = await ownedStore({ maxInFlight: 3 })
    const { reaction, release } = parked()
    backend.always('get', reaction)
    const waiting = Array.from({ length: 3 }, () => sessions.retrieve(id))
    expect(await sessionFailure(sessions.retrieve(id))).toMatchObject({ code: 'MCP_SESSION_OVERLOADED', retryable: true, outcome: 'none' })
    expect(await sessionFailure(sessions.create({}))).toMatchObject({ code: 'MCP_SESSION_OVERLOADED' })
    expect([backend.count('get'), backend.count('create')]).toEqual([3, 1])
    release()
    for (const session of await Promise.all(waiting)) expect(session?.id).toBe(id)
    expect(await sessions.retrieve(id)).toBeDefined()
  })

  it('are bounded where they wait for each other, too, and those of other sessions go on', async () => {
    const { sessions, backend, id } = await ownedStore({ maxInFlight: 3 })
    const other = await sessions.create({ n: 0 })
    const { reaction, arrived, release } = parked()
    backend.once('replace', reaction)
    const change = () => sessions.update(id, ({ n }) => ({ n: Number(n ?? 0) + 1 }))
    const first = change()
    await arrived
    const waiting = Array.from({ length: 3 }, change)
    expect(await sessionFailure(change())).toMatchObject({ code: 'MCP_SESSION_OVERLOADED', retryable: true, outcome: 'none' })
    expect((await sessions.update(other.id, () => ({ n: 9 })))?.metadata).toEqual({ n: 9 })
    release()
    expect((await first)?.metadata).toEqual({ n: 1 })
    expect((await Promise.all(waiting)).map((session) => session?.metadata)).toEqual([{ n: 2 }, { n: 3 }, { n: 4 }])
    expect((await change())?.metadata).toEqual({ n: 5 })
  })

  it('keep their places after a timeout, until the driver settles', async () => {
    const { sessions, backend, id } = await ownedStore({ maxInFlight: 2, callTimeoutMs: 25 })
    const { reaction, release } = parked()
    backend.always('get', reaction)
    const late = await Promise.all([sessionFailure(sessions.retrieve(id)), sessionFailure(sessions.retrieve(id))])
    expect(late.map((error) => error.code)).toEqual(['MCP_SESSION_TIMEOUT', 'MCP_SESSION_TIMEOUT'])
    expect(await sessionFailure(sessions.retrieve(id))).toMatchObject({ code: 'MCP_SESSION_OVERLOADED' })
    release()
    await new Promise<void>((resolve) => setImmediate(resolve))
    expect(await sessions.retrieve(id)).toBeDefined()
  })

  it('keep their places after an abort, too', async () => {
    const { sessions, backend, id } = await ownedStore({ maxInFlight: 1 })
    const { reaction, arrived, release } = parked()
    backend.once('get', reaction)
    const controller = new AbortController()
    const aborted = failure(sessions.retrieve(id, { signal: controller.signal }))
    await arrived
    controller.abort()
    await aborted
    expect(await sessionFailure(sessions.retrieve(id))).toMatchObject({ code: 'MCP_SESSION_OVERLOADED' })
    release()
    await new Promise<void>((resolve) => setImmediate(resolve))
    expect(await sessions.retrieve(id)).toBeDefined()
  })

  it('a reply that comes after the timeout harms nobody', async () => {
    const { sessions, backend, id } = await ownedStore({ callTimeoutMs: 25 })
    const { reaction, release } = parked()
    backend.once('replace', reaction)
    expect(await sessionFailure(sessions.update(id, () => ({ a: 2 })))).toMatchObject({ outcome: 'unknown' })
    release()
    await new Promise<void>((resolve) => setImmediate(resolve))
    expect((await sessions.retrieve(id))?.metadata).toEqual({ a: 2 })
  })
})

const classes: ErrorClass[] = [
  { code: 'MCP_SESSION_LIMIT', retryable: false, outcome: 'none' },
  { code: 'MCP_SESSION_UNAVAILABLE', retryable: true, outcome: 'none' },
  { code: 'MCP_SESSION_LOCKED', retryable: true, outcome: 'none' },
  { code: 'MCP_SESSION_CORRUPT', retryable: false, outcome: 'unknown' },
]

describe('a driver’s error', () => {
  it.each(methods)(
    'of %s (%s) is INTERNAL when nobody knows it, with an unknown outcome for writes only',
    async (_name, sent, effect, run) => {
      const { sessions, backend, id } = await ownedStore()
      const cause = new Error('driver')
      backend.always(sent, fails(cause))
      const error = await sessionFailure(run(sessions, id))
      expect(error).toMatchObject({ code: 'MCP_SESSION_INTERNAL', retryable: false, outcome: effect === 'read' ? 'none' : 'unknown' })
      expect(error.cause).toBe(cause)
    },
  )

  it('is INTERNAL with an unknown outcome where classify itself fails', async () => {
    const { sessions, backend, id } = await ownedStore()
    backend.classify = () => {
      throw new Error('classify is broken')
    }
    const driverError = new DriverError('the line is dead')
    backend.once('replace', fails(driverError))
    const error = await sessionFailure(sessions.update(id, () => ({ a: 2 })))
    expect(error).toMatchObject({ code: 'MCP_SESSION_INTERNAL', outcome: 'unknown', cause: driverError })
  })

  it.each(classes)('is what classify says: $code', async (known) => {
    const { sessions, backend, id } = await ownedStore()
    const cause = new DriverError('driver', known)
    backend.once('get', fails(cause))
    expect(await sessionFailure(sessions.retrieve(id))).toMatchObject({ ...known, outcome: 'none', cause })
    backend.once('replace', fails(cause))
    expect(await sessionFailure(sessions.update(id, () => ({ a: 2 })))).toMatchObject({ ...known, cause })
  })

  it('that is a SessionError already goes through as it is', async () => {
    const { sessions, backend, id } = await ownedStore()
    const locked = new SessionError('MCP_SESSION_LOCKED', 'another process holds it', { retryable: true })
    backend.once('get', fails(locked))
    expect(await failure(sessions.retrieve(id))).toBe(locked)
  })

  it.each([
    ['a text', 'boom'],
    ['nothing', undefined],
    ['null', null],
    ['an object', { code: 'E1' }],
  ])('may be %s', async (_what, cause) => {
    const { sessions, backend, id } = await ownedStore()
    backend.once('get', fails(cause))
    expect(await sessionFailure(sessions.retrieve(id))).toMatchObject({ code: 'MCP_SESSION_INTERNAL', cause })
  })

  it('may be thrown at once instead of by a promise', async () => {
    const { sessions, backend, id } = await ownedStore({ maxInFlight: 1 })
    backend.once('get', () => {
      throw new Error('at once')
    })
    expect(await sessionFailure(sessions.retrieve(id))).toMatchObject({ code: 'MCP_SESSION_INTERNAL' })
    expect(await sessions.retrieve(id)).toBeDefined()
  })
})

describe('messages', () => {
  const driverText = 'connect ECONNREFUSED redis://user:hunter2@db.internal:6379 SELECT secret-value'
  const secret = 'secret-value'

  function isClean(error: unknown, id: string): void {
    expect(error).toBeInstanceOf(Error)
    const { message } = error as Error
    for (const leak of [id, secret, 'hunter2', 'db.internal', 'secret-owner']) expect(message).not.toContain(leak)
    expect(message.length).toBeGreaterThan(20)
  }

  async function secretStore(options: Parameters<typeof openStore<Metadata>>[0] = {}) {
    // Without a cache nothing is known, and every change begins with a read.
    const store = await openStore<Metadata>({ cacheBytes: 0, ...options })
    const { id } = await store.sessions.create({ secret }, { owner: 'secret-owner', context: secret })
    return { ...store, id }
  }

  it.each(methods)('of %s (%s) tell neither the driver’s text nor ids, owners or values', async (_name, sent, _effect, run) => {
    for (const known of [undefined, ...classes]) {
      const { sessions, backend, id } = await secretStore()
      backend.always(sent, fails(new DriverError(driverText, known)))
      isClean(await sessionFailure(run(sessions, id).then(() => sessions.deleteByOwner('secret-owner'))), id)
    }
  })

  it('of late, corrupt, taken, oversized and unfit sessions do not, either', async () => {
    const { sessions, backend, id } = await secretStore({ callTimeoutMs: 25 })
    backend.once('get', hang)
    isClean(await failure(sessions.retrieve(id)), id)
    isClean(await failure(sessions.create({}, { id })), id)
    isClean(await failure(sessions.create({ secret: secret.repeat(100_000) })), id)
    const record = backend.records.get(id)
    if (record !== undefined) backend.records.set(id, { ...record, ttlMs: 5 })
    isClean(await failure(sessions.retrieve(id)), id)
  })

  it('name the backend and the driver’s code', async () => {
    const { sessions, backend, id } = await secretStore()
    backend.once('get', fails(Object.assign(new Error(driverText), { code: 'ECONNREFUSED' })))
    expect((await sessionFailure(sessions.retrieve(id))).message).toMatch(/ECONNREFUSED.*scripted/)
  })

  it('of a backend that does not open keep the driver’s text in the cause', async () => {
    const backend = scriptedBackend()
    const cause = new DriverError(driverText, { code: 'MCP_SESSION_UNAVAILABLE', retryable: true, outcome: 'none' })
    backend.once('open', fails(cause))
    const error = await sessionFailure(openSessions({ backend }))
    expect(error).toMatchObject({ code: 'MCP_SESSION_UNAVAILABLE', retryable: true, outcome: 'none', cause })
    isClean(error, 'no id')
  })

  it('of a backend that does not close keep it there, too', async () => {
    const backend = scriptedBackend()
    const sessions = await openSessions({ backend, cleanupIntervalMs: 0 })
    onTestFinished(() => backend.close())
    backend.once('close', fails(new Error(driverText)))
    const error = await sessionFailure(sessions.close())
    expect(error).toMatchObject({ code: 'MCP_SESSION_INTERNAL' })
    isClean(error, 'no id')
  })
})
