import { describe, expect, it } from 'vitest'
import type { Sessions } from '../src/index.ts'
import { after, fails, hang, lostReply, lostReplyThen, lostRequest, parked } from './reactions.ts'
import { DriverError, scriptedBackend } from './scripted-backend.ts'
import { failure, openStore, present, sessionFailure, startAt } from './store.ts'

const full = new DriverError('full', { code: 'MCP_SESSION_LIMIT', retryable: false, outcome: 'none' })

async function rotatable(options: Parameters<typeof openStore>[0] = {}) {
  const store = await openStore(options)
  const session = await store.sessions.create({ user: 'alice' }, { owner: 'guest', ttlMs: 90_000, maxLifetimeMs: 900_000, context: 'c' })
  return { ...store, session, id: session.id }
}

describe('rotate', () => {
  it('moves the session to a new id, with everything but its rev', async () => {
    const { sessions, backend, clock, session, id } = await rotatable()
    clock.advance(10)
    const rotated = present(await sessions.rotate(id))
    expect(rotated).toEqual({
      ...session,
      id: expect.stringMatching(/^s_[\w-]{43}$/),
      rev: expect.any(String),
      lastAccessedAt: startAt + 10,
      expiresAt: startAt + 90_010,
    })
    expect([rotated.id === id, rotated.rev === session.rev]).toEqual([false, false])
    expect(await sessions.retrieve(id)).toBeUndefined()
    expect(await sessions.retrieve(rotated.id, { owner: 'guest' })).toEqual(rotated)
    expect(await sessions.count()).toBe(1)
    await sessions.close()
    expect([...backend.records.keys()]).toEqual([rotated.id])
  })

  it.each(['alice', null])('gives it to %j', async (newOwner) => {
    const { sessions, id } = await rotatable()
    const rotated = present(await sessions.rotate(id, { owner: 'guest', newOwner }))
    expect(rotated.owner).toBe(newOwner)
    expect(await sessions.retrieve(rotated.id, { owner: newOwner })).toBeDefined()
    expect(await sessions.retrieve(rotated.id, { owner: 'guest' })).toBeUndefined()
  })

  it('lets one of 20 callers win', async () => {
    const backend = scriptedBackend()
    const { id } = await rotatable({ backend })
    const stores = await Promise.all(Array.from({ length: 4 }, () => openStore({ backend })))
    const rotated = await Promise.all(Array.from({ length: 20 }, (_, index) => present(stores[index % 4]).sessions.rotate(id)))
    expect(rotated.filter((session) => session !== undefined)).toHaveLength(1)
    expect(await present(stores[0]).sessions.count()).toBe(1)
  })

  it('waits for updates that are under way, and none is lost', async () => {
    const { sessions } = await openStore<{ n: number }>()
    const { id } = await sessions.create({ n: 0 })
    const updates = Array.from({ length: 10 }, () => sessions.update(id, ({ n }) => ({ n: n + 1 })))
    const rotated = await sessions.rotate(id)
    expect(rotated?.metadata).toEqual({ n: 10 })
    expect((await Promise.all(updates)).every((session) => session !== undefined)).toBe(true)
    expect(await sessions.update(id, ({ n }) => ({ n: n + 1 }))).toBeUndefined()
  })

  it('takes over the change of another node that comes between', async () => {
    const backend = scriptedBackend()
    const { sessions, id } = await rotatable({ backend })
    const other = await openStore({ backend })
    backend.once(
      'replace',
      after(() => other.sessions.update(id, () => ({ user: 'changed' }))),
    )
    expect((await sessions.rotate(id))?.metadata).toEqual({ user: 'changed' })
  })

  it('is CORRUPT for a damaged session, which stays', async () => {
    const { sessions, backend, id } = await rotatable()
    const rotten = { ...present(backend.records.get(id)), ttlMs: 5 }
    backend.records.set(id, rotten)
    expect(await sessionFailure(sessions.rotate(id))).toMatchObject({ code: 'MCP_SESSION_CORRUPT' })
    expect(backend.records.get(id)).toEqual(rotten)
  })
})

describe('a process that dies while it rotates', () => {
  /** The engine as it is after the first, second or third step; a new store looks at it. */
  async function crashedAfter(step: 'replace' | 'create' | 'delete') {
    const backend = scriptedBackend()
    const dying = await rotatable({ backend, callTimeoutMs: 25 })
    if (step === 'replace') backend.once('create', hang)
    if (step === 'create') backend.once('delete', hang)
    const outcome = await dying.sessions.rotate(dying.id).catch(() => undefined)
    const { sessions, clock } = await openStore({ backend, clock: dying.clock })
    return { backend, sessions, clock, id: dying.id, outcome }
  }

  it('after step 1 loses the session and never doubles it', async () => {
    const { backend, sessions, clock, id, outcome } = await crashedAfter('replace')
    expect(outcome).toBeUndefined()
    expect(backend.records.size).toBe(1)
    expect(await sessions.retrieve(id)).toBeUndefined()
    expect(await sessions.update(id, () => ({}))).toBeUndefined()
    expect(await sessions.touch(id)).toBe(false)
    expect(await sessions.setTtl(id, 5)).toBe(false)
    expect(await sessions.consume(id)).toBeUndefined()
    expect(await sessions.rotate(id)).toBeUndefined()
    expect(await sessions.delete(id, { owner: 'guest' })).toBe(false)
    expect(await sessions.count()).toBe(0)
    expect(await sessions.count({ owner: 'guest' })).toBe(0)
    expect((await sessions.list()).sessions).toEqual([])
    expect(await sessions.deleteByOwner('guest')).toBe(0)
    clock.advance(60_000)
    expect(await sessions.cleanupExpired()).toBe(1)
    expect(backend.records.size).toBe(0)
  })

  it.each(['create', 'delete'] as const)('after %s has exactly the new session', async (step) => {
    const { sessions, id, outcome } = await crashedAfter(step)
    expect(await sessions.retrieve(id)).toBeUndefined()
    expect((await sessions.list()).sessions).toEqual([outcome])
    expect(await sessions.retrieve(present(outcome).id)).toEqual(outcome)
  })
})

describe('a rotation that fails', () => {
  it('gives the session back when the engine is full', async () => {
    const { sessions, backend, session, id } = await rotatable()
    backend.once('create', fails(full))
    expect(await sessionFailure(sessions.rotate(id))).toMatchObject({ code: 'MCP_SESSION_LIMIT', outcome: 'none', cause: full })
    expect(await sessions.retrieve(id)).toEqual({ ...session, rev: expect.any(String) })
    expect(await sessions.count()).toBe(1)
    expect((await sessions.rotate(id))?.metadata).toEqual({ user: 'alice' })
  })

  it('gives it back also when the replies get lost meanwhile', async () => {
    const { sessions, backend, session, id } = await rotatable()
    backend.once('replace', lostReply, lostReply)
    backend.once('create', fails(full))
    backend.once('replace', lostReply)
    expect(await sessionFailure(sessions.rotate(id))).toMatchObject({ code: 'MCP_SESSION_LIMIT' })
    expect(await sessions.retrieve(id)).toEqual({ ...session, rev: expect.any(String) })
  })

  it('never doubles it: what may have been created is not put back', async () => {
    const { sessions, backend, id } = await rotatable()
    backend.once('create', lostReply, fails(full))
    expect(await sessionFailure(sessions.rotate(id))).toMatchObject({ outcome: 'unknown' })
    expect(await sessions.count()).toBeLessThan(2)
    expect(await sessions.retrieve(id)).toBeUndefined()
  })

  it('changes nothing when its first step fails', async () => {
    const { sessions, backend, session, id } = await rotatable()
    backend.once('replace', fails(full))
    expect(await sessionFailure(sessions.rotate(id))).toMatchObject({ outcome: 'none' })
    expect(await sessions.retrieve(id)).toEqual(session)
  })

  it('does not fail when only the marker cannot be deleted', async () => {
    const { sessions, backend, reported, id } = await rotatable()
    backend.once('delete', fails(full))
    const rotated = present(await sessions.rotate(id))
    expect(await sessions.retrieve(rotated.id)).toBeDefined()
    await sessions.close()
    expect(reported).toHaveLength(1)
    expect(backend.records.size).toBe(2)
  })

  it('survives lost replies of all three steps', async () => {
    const { sessions, backend, id } = await rotatable()
    backend.once('replace', lostReply)
    backend.once('create', lostReply, lostRequest)
    backend.once('delete', lostReply, lostRequest, lostReply)
    const rotated = present(await sessions.rotate(id))
    await sessions.close()
    expect([...backend.records.keys()]).toContain(rotated.id)
    expect(rotated.metadata).toEqual({ user: 'alice' })
  })

  it('is never lost to an abort that comes between its steps', async () => {
    const { sessions, backend, id } = await rotatable()
    const controller = new AbortController()
    backend.once('replace', async (apply) => {
      const answer = await apply()
      controller.abort(new Error('enough'))
      return answer
    })
    const outcome = await sessions.rotate(id, { signal: controller.signal }).catch(() => undefined)
    expect(await sessions.count()).toBe(1)
    const [survivor] = (await sessions.list()).sessions
    expect(survivor).toMatchObject({ metadata: { user: 'alice' } })
    if (outcome !== undefined) expect(survivor?.id).toBe(outcome.id)
  })

  it('is never lost to an overload that comes between its steps', async () => {
    const { sessions, backend, id } = await rotatable({ maxInFlight: 1 })
    const { reaction, arrived, release } = parked()
    backend.once('replace', async (apply) => {
      const answer = await apply()
      backend.once('get', reaction)
      void crowd(sessions)
      return answer
    })
    void arrived.then(() => setImmediate(release))
    expect(await sessionFailure(sessions.rotate(id))).toMatchObject({ code: 'MCP_SESSION_OVERLOADED', outcome: 'none' })
    expect((await sessions.retrieve(id))?.metadata).toEqual({ user: 'alice' })
    expect(await sessions.count()).toBe(1)
  })

  it('is never lost to a deadline that comes between its steps', async () => {
    const { sessions, backend, id } = await rotatable({ callTimeoutMs: 25 })
    backend.once('replace', async (apply) => {
      const answer = await apply()
      const until = performance.now() + 30
      while (performance.now() < until) await new Promise<void>((resolve) => setImmediate(resolve))
      return answer
    })
    expect(await sessionFailure(sessions.rotate(id))).toMatchObject({ code: 'MCP_SESSION_TIMEOUT', outcome: 'none' })
    await sessions.close()
    const { sessions: next } = await openStore({ backend })
    expect((await next.retrieve(id))?.metadata).toEqual({ user: 'alice' })
  })

  it('that cannot give the session back says so', async () => {
    const { sessions, backend, reported, id } = await rotatable()
    backend.once('create', fails(full))
    backend.once('replace', (apply) => apply(), fails(full))
    expect(await sessionFailure(sessions.rotate(id))).toMatchObject({ cause: full, outcome: 'none' })
    await sessions.close()
    expect(reported).toHaveLength(1)
  })

  it('that is lost for good is unknown', async () => {
    const { sessions, backend, id } = await rotatable({ callTimeoutMs: 60 })
    backend.once(
      'replace',
      lostReplyThen(() => backend.records.delete(id)),
    )
    expect(await sessionFailure(sessions.rotate(id))).toMatchObject({ outcome: 'unknown' })
    expect(await failure(sessions.rotate(5 as unknown as string))).toBeInstanceOf(TypeError)
  })
})

/** Somebody is always there to take a place that becomes free. */
async function crowd(sessions: Pick<Sessions<object>, 'retrieve'>): Promise<void> {
  for (let step = 0; step < 200; step += 1) {
    sessions.retrieve('s_other').catch(() => undefined)
    await Promise.resolve()
  }
}
