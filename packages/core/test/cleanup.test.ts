import { describe, expect, it } from 'vitest'
import { openSessions } from '../src/index.ts'
import { fails, lostRequest } from './reactions.ts'
import { DriverError, scriptedBackend } from './scripted-backend.ts'
import { failure, openStore, present, sessionFailure } from './store.ts'

describe('cleanupExpired', () => {
  it('deletes the expired half of 10,000 exactly, in slices that let others in', async () => {
    const { sessions, backend, clock } = await openStore()
    for (let n = 0; n < 10_000; n += 1) await sessions.create({ n }, { ttlMs: n % 2 === 0 ? 1_000 : 2_000 })
    clock.advance(1_000)
    let turns = 0
    let running = true
    const turn = () => {
      turns += 1
      if (running) setImmediate(turn)
    }
    turn()
    expect(await sessions.cleanupExpired()).toBe(5_000)
    running = false
    expect(backend.records.size).toBe(5_000)
    for (const record of backend.records.values()) expect(record.ttlMs).toBe(2_000)
    const slices = backend.sent.filter(({ method }) => method === 'deleteExpired')
    expect(slices.length).toBeGreaterThanOrEqual(3)
    for (const { args } of slices) expect(args[0]).toBeLessThanOrEqual(2_000)
    expect(turns).toBeGreaterThanOrEqual(slices.length)
    expect(sessions.metrics().expired).toBe(5_000)
    expect(await sessions.cleanupExpired()).toBe(0)
  })

  it('deletes the expired records of every kind', async () => {
    const backend = scriptedBackend()
    const { sessions, clock } = await openStore({ backend })
    const { sessions: carts } = await openStore({ backend, kind: 'cart' })
    await carts.create({}, { ttlMs: 1 })
    clock.advance(1)
    expect(await sessions.cleanupExpired()).toBe(1)
  })

  it('is sent again when its reply got lost', async () => {
    const { sessions, backend } = await openStore()
    await sessions.create({}, { ttlMs: 0 })
    backend.once('deleteExpired', lostRequest)
    expect(await sessions.cleanupExpired()).toBe(1)
  })

  it('stops at an abort', async () => {
    const { sessions, backend } = await openStore()
    for (let n = 0; n < 2_100; n += 1) await sessions.create({}, { ttlMs: 0 })
    const controller = new AbortController()
    backend.once('deleteExpired', async (apply) => {
      const answer = await apply()
      setImmediate(() => controller.abort())
      return answer
    })
    expect(await failure(sessions.cleanupExpired({ signal: controller.signal }))).toBe(controller.signal.reason)
    expect(backend.records.size).toBeGreaterThan(0)
  })

  it('fails when the engine does', async () => {
    const { sessions, backend } = await openStore()
    backend.once('deleteExpired', fails(new Error('x')))
    expect(await sessionFailure(sessions.cleanupExpired())).toMatchObject({ code: 'MCP_SESSION_INTERNAL', outcome: 'unknown' })
  })
})

describe('the sweep in the background', () => {
  it('deletes expired sessions, reports failures, and goes on', async () => {
    const backend = scriptedBackend()
    const reported: unknown[] = []
    let report: () => void = () => {}
    let swept: () => void = () => {}
    const failed = new Promise<void>((resolve) => {
      report = resolve
    })
    const empty = new Promise<void>((resolve) => {
      swept = resolve
    })
    const cause = new DriverError('gone', { code: 'MCP_SESSION_UNAVAILABLE', retryable: true, outcome: 'none' })
    const sessions = await openSessions({
      backend,
      cleanupIntervalMs: 5,
      onError: (error) => {
        reported.push(error)
        report()
      },
    })
    backend.once('deleteExpired', fails(cause))
    backend.always('deleteExpired', async (apply) => {
      const deleted = await apply()
      if (backend.records.size === 1) swept()
      return deleted
    })
    await sessions.create({ gone: true }, { ttlMs: 0 })
    const { id } = await sessions.create({ kept: true })
    // The sweeper holds no process alive: the test does.
    const awake = setInterval(() => {}, 1_000)
    await Promise.all([failed, empty])
    clearInterval(awake)
    await sessions.close()
    expect([...backend.records.keys()]).toEqual([id])
    expect(present(reported[0])).toMatchObject({ code: 'MCP_SESSION_UNAVAILABLE', cause })
    expect(reported).toHaveLength(1)
  })

  it('is no more after close', async () => {
    const backend = scriptedBackend()
    const reported: unknown[] = []
    const sessions = await openSessions({ backend, cleanupIntervalMs: 1, onError: (error) => reported.push(error) })
    await sessions.close()
    const count = backend.count('deleteExpired')
    for (let turn = 0; turn < 500; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve))
    expect(backend.count('deleteExpired')).toBe(count)
    expect(reported).toEqual([])
  })
})
