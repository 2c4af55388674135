import { describe, expect, it, onTestFinished } from 'vitest'
import { openSessions, SessionError } from '../src/index.ts'
import { fails, hang, lostRequest, parked } from './reactions.ts'
import { DriverError, type ScriptedMethod, scriptedBackend } from './scripted-backend.ts'
import { failure, openStore, sessionFailure, startAt } from './store.ts'

describe('opening', () => {
  it('refuses a backend of another contract, and closes it again', async () => {
    const backend = scriptedBackend({ info: { contract: 2 as 1 } })
    const error = await sessionFailure(openSessions({ backend }))
    expect(error).toMatchObject({ code: 'MCP_SESSION_CONTRACT', retryable: false })
    expect(error.message).toMatch(/scripted.*contract 2/)
    expect(backend.sent.map(({ method }) => method)).toEqual(['open', 'close'])
  })

  it('passes a SessionError of the backend on as it is', async () => {
    const backend = scriptedBackend()
    const locked = new SessionError('MCP_SESSION_LOCKED', 'another process has the folder')
    backend.once('open', fails(locked))
    expect(await failure(openSessions({ backend }))).toBe(locked)
  })

  it('may be tried again after a failure', async () => {
    const backend = scriptedBackend()
    backend.once('open', fails(new Error('x')))
    expect(await sessionFailure(openSessions({ backend }))).toMatchObject({ code: 'MCP_SESSION_INTERNAL', outcome: 'none' })
    const { sessions } = await openStore({ backend })
    expect(await sessions.create({})).toBeDefined()
  })

  it('gives the backend that it was given', async () => {
    const { sessions, backend } = await openStore()
    expect(sessions.getBackend()).toBe(backend)
  })

  it('gives methods that can be detached', async () => {
    const { sessions } = await openStore()
    const { create, retrieve, update, list } = sessions
    const { id } = await create({ n: 1 })
    await update(id, () => ({ n: 2 }))
    expect((await retrieve(id))?.metadata).toEqual({ n: 2 })
    expect((await list()).sessions).toHaveLength(1)
  })
})

describe('close', () => {
  it('waits for the calls that are under way, and they succeed', async () => {
    const { sessions, backend } = await openStore()
    const { id } = await sessions.create({ n: 0 })
    const { reaction, arrived, release } = parked()
    backend.once('replace', reaction)
    const log: string[] = []
    const updating = sessions.update(id, () => ({ n: 1 })).then(() => log.push('updated'))
    const queued = sessions.update(id, () => ({ n: 2 })).then(() => log.push('queued'))
    await arrived
    const closing = sessions.close().then(() => log.push('closed'))
    expect(backend.count('close')).toBe(0)
    release()
    await Promise.all([updating, queued, closing])
    expect(log).toEqual(['updated', 'queued', 'closed'])
  })

  it('waits for accesses that are still to be written', async () => {
    const { sessions, backend } = await openStore({ touchIntervalMs: 0 })
    const { id } = await sessions.create({})
    const { reaction, arrived, release } = parked()
    backend.once('touch', reaction)
    await sessions.retrieve(id)
    await arrived
    const closing = sessions.close()
    release()
    await closing
    expect(sessions.metrics().touches).toBe(1)
    expect(backend.sent.map(({ method }) => method).slice(-2)).toEqual(['touch', 'close'])
  })

  it('waits for accesses and deletions whose replies got lost and which are to be sent again', async () => {
    const { sessions, backend } = await openStore({ touchIntervalMs: 0 })
    const { id } = await sessions.create({})
    backend.once('touch', lostRequest)
    await sessions.retrieve(id)
    await sessions.close()
    expect(backend.sent.map(({ method }) => method).slice(-3)).toEqual(['touch', 'touch', 'close'])
    const other = await openStore({ backend: scriptedBackend() })
    const { id: old } = await other.sessions.create({})
    other.backend.once('delete', lostRequest)
    await other.sessions.rotate(old)
    await other.sessions.close()
    expect(other.backend.sent.map(({ method }) => method).slice(-3)).toEqual(['delete', 'delete', 'close'])
    expect(other.backend.records.size).toBe(1)
  })

  it('waits no longer than the deadlines of hung calls', async () => {
    const { sessions, backend } = await openStore({ callTimeoutMs: 40 })
    backend.always('get', hang)
    const hung = sessionFailure(sessions.retrieve('s_x'))
    await sessions.close()
    expect(await hung).toMatchObject({ code: 'MCP_SESSION_TIMEOUT' })
    expect(backend.count('close')).toBe(1)
  })

  it('waits for a driver that is late but within the deadline of its call', async () => {
    const { sessions, backend } = await openStore()
    const controller = new AbortController()
    const { reaction, arrived, release } = parked()
    backend.once('get', reaction)
    const aborted = failure(sessions.retrieve('s_x', { signal: controller.signal }))
    await arrived
    controller.abort()
    await aborted
    let closed = false
    const closing = sessions.close().then(() => {
      closed = true
    })
    await new Promise<void>((resolve) => setImmediate(resolve))
    expect(closed).toBe(false)
    release()
    await closing
  })

  it('is idempotent and gives one promise’s worth of work', async () => {
    const { sessions, backend } = await openStore()
    await Promise.all([sessions.close(), sessions.close()])
    await sessions.close()
    await sessions[Symbol.asyncDispose]()
    expect(backend.count('close')).toBe(1)
  })

  it('makes every method CLOSED, with the engine not asked', async () => {
    const { sessions, backend } = await openStore()
    const { id } = await sessions.create({})
    await sessions.close()
    const sent = backend.sent.length
    for (const call of [
      () => sessions.create({}),
      () => sessions.retrieve(id),
      () => sessions.update(id, () => ({})),
      () => sessions.updateContext(id, () => 1),
      () => sessions.delete(id),
      () => sessions.consume(id),
      () => sessions.setTtl(id, 5),
      () => sessions.touch(id),
      () => sessions.rotate(id),
      () => sessions.list(),
      () => sessions.iterate().next(),
      () => sessions.count(),
      () => sessions.cleanupExpired(),
      () => sessions.deleteByOwner('alice'),
      () => sessions.health(),
    ]) {
      expect(await sessionFailure(call())).toMatchObject({ code: 'MCP_SESSION_CLOSED', outcome: 'none', retryable: false })
    }
    expect(backend.sent).toHaveLength(sent)
    expect(sessions.metrics().created).toBe(1)
  })

  it('refuses new calls from its first moment on', async () => {
    const { sessions } = await openStore()
    const closing = sessions.close()
    expect(await sessionFailure(sessions.create({}))).toMatchObject({ code: 'MCP_SESSION_CLOSED' })
    await closing
  })

  it('of one store leaves the other stores of the same backend open', async () => {
    const backend = scriptedBackend()
    const one = await openStore({ backend })
    const other = await openStore({ backend, kind: 'cart' })
    expect(backend.count('open')).toBe(1)
    await one.sessions.close()
    await one.sessions.close()
    expect(backend.count('close')).toBe(0)
    expect(await other.sessions.create({})).toBeDefined()
    await other.sessions.close()
    expect(backend.count('close')).toBe(1)
  })

  it('runs at the end of an `await using` block', async () => {
    const backend = scriptedBackend()
    {
      await using sessions = await openSessions({ backend, cleanupIntervalMs: 0 })
      await sessions.create({})
    }
    expect(backend.count('close')).toBe(1)
  })
})

describe('the clock of a cluster', () => {
  function cluster(engineNow: () => number) {
    return scriptedBackend({ info: { sharing: 'cluster' }, engineNow })
  }

  it('is the engine’s from the beginning, so that nodes agree', async () => {
    const backend = cluster(() => startAt + 90_000)
    const ahead = await openStore({ backend })
    const { createdAt } = await ahead.sessions.create({})
    expect(Math.abs(createdAt - (startAt + 90_000))).toBeLessThan(1_000)
    const { clockOffsetMs } = await ahead.sessions.health()
    expect(Math.abs(clockOffsetMs - 90_000)).toBeLessThan(1_000)
  })

  it('is corrected by every health call', async () => {
    let skew = 5_000
    const { sessions } = await openStore({ backend: cluster(() => startAt + skew) })
    skew = -40_000
    const { clockOffsetMs, roundTripMs } = await sessions.health()
    expect(Math.abs(clockOffsetMs + 40_000)).toBeLessThan(1_000)
    expect(roundTripMs).toBeGreaterThanOrEqual(0)
    expect(Math.abs((await sessions.create({})).createdAt - (startAt - 40_000))).toBeLessThan(1_000)
  })

  it.each(['process', 'host'] as const)('is no clock of a %s: its own is right there', async (sharing) => {
    const { sessions, backend } = await openStore({ backend: scriptedBackend({ info: { sharing }, engineNow: () => startAt + 90_000 }) })
    expect(backend.count('health')).toBe(0)
    expect((await sessions.create({})).createdAt).toBe(startAt)
    expect(Math.abs((await sessions.health()).clockOffsetMs - 90_000)).toBeLessThan(1_000)
    expect((await sessions.create({})).createdAt).toBe(startAt)
  })

  it('must be known: without it the store does not open, and closes the backend', async () => {
    const backend = cluster(() => startAt)
    const cause = new DriverError('gone', { code: 'MCP_SESSION_UNAVAILABLE', retryable: true, outcome: 'none' })
    backend.once('health', fails(cause))
    expect(await sessionFailure(openSessions({ backend }))).toMatchObject({ code: 'MCP_SESSION_UNAVAILABLE', cause })
    expect(backend.count('close')).toBe(1)
    onTestFinished(() => backend.close())
  })
})

describe('health', () => {
  it('gives the warnings of the backend and an offset of 0 without an engine clock', async () => {
    const { sessions } = await openStore()
    expect(await sessions.health()).toEqual({
      warnings: [{ code: 'SCRIPTED', message: 'this engine is a script' }],
      roundTripMs: expect.any(Number),
      clockOffsetMs: 0,
    })
  })
})

describe('the contract', () => {
  it('every call carries an instant and a deadline', async () => {
    const { sessions, backend } = await openStore({ touchIntervalMs: 0 })
    const { id } = await sessions.create({}, { owner: 'alice' })
    await sessions.retrieve(id)
    await sessions.update(id, () => ({ n: 1 }))
    await sessions.list()
    await sessions.health()
    await sessions.cleanupExpired()
    await sessions.events?.append(id, { key: 'k', stream: 's', data: '' }, { maxEvents: 1, maxAgeMs: 1, maxBytes: 1 })
    await sessions.signals?.publish('c', 'm')
    await sessions.delete(id)
    const methods = new Set<ScriptedMethod>()
    for (const { method, args } of backend.sent.filter((call) => call.method !== 'open')) {
      methods.add(method)
      expect(args.at(method === 'get' ? 1 : -1)).toEqual({ now: startAt, deadlineAt: expect.any(Number) })
    }
    expect([...methods]).toHaveLength(10)
  })
})
