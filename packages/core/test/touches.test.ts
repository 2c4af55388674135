import { describe, expect, it } from 'vitest'
import { after, fails, lostReply, parked } from './reactions.ts'
import { DriverError } from './scripted-backend.ts'
import { openStore, present, startAt } from './store.ts'

describe('the access of a retrieve', () => {
  it('is shown by the session, and written in the background', async () => {
    const { sessions, backend, clock } = await openStore({ ttlMs: 10_000 })
    const { id } = await sessions.create({ a: 1 })
    clock.advance(5_000)
    const { reaction, arrived, release } = parked()
    backend.once('touch', reaction)
    const session = await sessions.retrieve(id)
    expect(session).toMatchObject({ lastAccessedAt: startAt + 5_000, expiresAt: startAt + 15_000, metadata: { a: 1 } })
    expect(Object.isFrozen(session)).toBe(true)
    await arrived
    expect(present(backend.records.get(id)).lastAccessedAt).toBe(startAt)
    release()
    await sessions.close()
    expect(present(backend.records.get(id))).toMatchObject({ lastAccessedAt: startAt + 5_000, expiresAt: startAt + 15_000 })
  })

  it.each([
    [undefined, 1_000, 50],
    [undefined, 10, 1],
    [undefined, 20_000_000, 60_000],
    [undefined, Number.POSITIVE_INFINITY, 60_000],
    [500, 1_000, 500],
    [0, 1_000, 0],
  ])('with touchIntervalMs %s and a ttl of %s is written after %s ms, and not before', async (touchIntervalMs, ttlMs, interval) => {
    const { sessions, backend, clock } = await openStore({ ttlMs, touchIntervalMs })
    const { id } = await sessions.create({})
    if (interval > 0) {
      clock.advance(interval - 1)
      expect(await sessions.retrieve(id)).toMatchObject({ lastAccessedAt: startAt })
      expect(backend.count('touch')).toBe(0)
      expect(sessions.metrics().touchesSkipped).toBe(1)
      clock.advance(1)
    }
    expect(await sessions.retrieve(id)).toMatchObject({ lastAccessedAt: startAt + interval })
    expect(backend.count('touch')).toBe(1)
  })

  it('never happens with an interval of Infinity', async () => {
    const { sessions, backend, clock } = await openStore({ ttlMs: 1_000, touchIntervalMs: Number.POSITIVE_INFINITY })
    const { id } = await sessions.create({})
    clock.advance(999)
    await sessions.retrieve(id)
    expect(backend.count('touch')).toBe(0)
  })

  it('has one write pending for an id at most', async () => {
    const { sessions, backend } = await openStore({ touchIntervalMs: 0 })
    const { id } = await sessions.create({})
    const { id: other } = await sessions.create({})
    const { reaction, release } = parked()
    backend.always('touch', reaction)
    await Promise.all(Array.from({ length: 20 }, () => sessions.retrieve(id)))
    await sessions.retrieve(other)
    expect(backend.count('touch')).toBe(2)
    release()
    await sessions.close()
    expect(backend.count('touch')).toBe(2)
  })

  it('is reported when it fails, and does not fail the reader', async () => {
    const { sessions, backend, reported } = await openStore({ touchIntervalMs: 0 })
    const { id } = await sessions.create({ a: 1 })
    const cause = new DriverError('gone', { code: 'MCP_SESSION_UNAVAILABLE', retryable: true, outcome: 'none' })
    backend.once('touch', fails(cause))
    expect((await sessions.retrieve(id))?.metadata).toEqual({ a: 1 })
    await sessions.close()
    expect(reported).toEqual([expect.objectContaining({ code: 'MCP_SESSION_UNAVAILABLE', cause })])
  })

  it('is written again after one that failed', async () => {
    const { sessions, backend } = await openStore({ touchIntervalMs: 0 })
    const { id } = await sessions.create({})
    backend.once('touch', fails(new Error('x')))
    await sessions.retrieve(id)
    await new Promise<void>((resolve) => setImmediate(resolve))
    await sessions.retrieve(id)
    expect(backend.count('touch')).toBe(2)
  })

  it('is not aborted with its reader', async () => {
    const { sessions, backend, reported } = await openStore({ touchIntervalMs: 0 })
    const { id } = await sessions.create({})
    const controller = new AbortController()
    const { reaction, arrived, release } = parked()
    backend.once('touch', reaction)
    await sessions.retrieve(id, { signal: controller.signal })
    await arrived
    controller.abort()
    release()
    await sessions.close()
    expect(reported).toEqual([])
    expect(sessions.metrics().touches).toBe(1)
  })

  it('does not revive a session that is deleted meanwhile', async () => {
    const { sessions, backend } = await openStore({ touchIntervalMs: 0 })
    const { id } = await sessions.create({})
    backend.once(
      'touch',
      after(() => backend.records.delete(id)),
    )
    await sessions.retrieve(id)
    await sessions.close()
    expect(backend.records.size).toBe(0)
  })
})

describe('touch', () => {
  it('writes the access at once, whatever the interval', async () => {
    const { sessions, backend, clock } = await openStore({ ttlMs: 10_000 })
    const { id, rev } = await sessions.create({ a: 1 })
    clock.advance(1)
    expect(await sessions.touch(id)).toBe(true)
    expect(present(backend.records.get(id))).toMatchObject({ lastAccessedAt: startAt + 1, expiresAt: startAt + 10_001, rev })
    expect(await sessions.touch('s_missing')).toBe(false)
  })

  it('is true when the session was changed meanwhile, false when it was deleted', async () => {
    const { sessions, backend } = await openStore()
    const { id } = await sessions.create({ a: 1 })
    backend.once(
      'touch',
      after(() => sessions.update(id, () => ({ a: 2 }))),
    )
    expect(await sessions.touch(id)).toBe(true)
    backend.once(
      'touch',
      after(() => sessions.delete(id)),
    )
    expect(await sessions.touch(id)).toBe(false)
    expect(backend.records.size).toBe(0)
  })

  it('never revives an expired session', async () => {
    const { sessions, clock } = await openStore({ ttlMs: 100 })
    const { id } = await sessions.create({})
    clock.advance(100)
    expect(await sessions.touch(id)).toBe(false)
    expect(await sessions.retrieve(id)).toBeUndefined()
  })

  it('changes nothing but two instants', async () => {
    const { sessions, backend, clock } = await openStore({ ttlMs: 100 })
    const { id } = await sessions.create({ a: 1 }, { owner: 'alice', context: 1 })
    const before = present(backend.records.get(id))
    clock.advance(50)
    backend.once('touch', lostReply)
    await sessions.touch(id)
    expect(backend.records.get(id)).toEqual({ ...before, lastAccessedAt: startAt + 50, expiresAt: startAt + 150 })
  })
})
