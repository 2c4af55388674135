import { describe, expect, it } from 'vitest'
import { type Session, SessionError } from '../src/index.ts'
import { after, fails, lostReply, lostRequest } from './reactions.ts'
import { DriverError, scriptedBackend } from './scripted-backend.ts'
import { openStore, present, sessionFailure } from './store.ts'

describe('delete', () => {
  it('says whether a live session was there', async () => {
    const { sessions } = await openStore()
    const { id } = await sessions.create({})
    expect(await sessions.delete(id)).toBe(true)
    expect(await sessions.delete(id)).toBe(false)
    expect(await sessions.retrieve(id)).toBeUndefined()
    expect(await sessions.update(id, () => ({}))).toBeUndefined()
    expect(sessions.metrics().deleted).toBe(1)
  })

  it('says true to one of 50 callers', async () => {
    const { sessions } = await openStore()
    const { id } = await sessions.create({}, { owner: 'alice' })
    const plain = await Promise.all(Array.from({ length: 50 }, () => sessions.delete(id)))
    expect(plain.filter(Boolean)).toHaveLength(1)
    const { id: other } = await sessions.create({}, { owner: 'alice' })
    const checked = await Promise.all(Array.from({ length: 50 }, () => sessions.delete(other, { owner: 'alice' })))
    expect(checked.filter(Boolean)).toHaveLength(1)
  })

  it('is final against a read and an update that are under way', async () => {
    const { sessions, backend } = await openStore({ touchIntervalMs: 0 })
    const { id } = await sessions.create({ a: 1 })
    backend.once(
      'replace',
      after(() => sessions.delete(id)),
    )
    expect(await sessions.update(id, () => ({ a: 2 }))).toBeUndefined()
    const { id: read } = await sessions.create({ a: 1 })
    backend.once(
      'touch',
      after(() => sessions.delete(read)),
    )
    await sessions.retrieve(read)
    await sessions.close()
    expect(backend.records.size).toBe(0)
  })

  it('with an owner removes the session as it is then, whoever changes it meanwhile', async () => {
    const { sessions, backend } = await openStore()
    const { id } = await sessions.create({ n: 0 }, { owner: 'alice' })
    const change = after(() => sessions.update(id, ({ n }) => ({ n: Number(n) + 1 })))
    backend.once('delete', change, change)
    expect(await sessions.delete(id, { owner: 'alice' })).toBe(true)
    expect(backend.records.size).toBe(0)
  })

  it('with an owner never removes what another owner put there meanwhile', async () => {
    const { sessions, backend } = await openStore()
    const { id } = await sessions.create({}, { owner: 'alice' })
    backend.once(
      'delete',
      after(async () => {
        backend.records.delete(id)
        await sessions.create({ mine: true }, { id, owner: 'bob' })
      }),
    )
    expect(await sessions.delete(id, { owner: 'alice' })).toBe(false)
    expect((await sessions.retrieve(id, { owner: 'bob' }))?.metadata).toEqual({ mine: true })
  })

  it('is sent again when its reply got lost', async () => {
    const { sessions, backend } = await openStore()
    const { id } = await sessions.create({})
    backend.once('delete', lostRequest)
    expect(await sessions.delete(id)).toBe(true)
    const { id: owned } = await sessions.create({}, { owner: 'alice' })
    const { rev } = present(backend.records.get(owned))
    backend.once('delete', lostRequest)
    expect(await sessions.delete(owned, { owner: 'alice' })).toBe(true)
    const revs = backend.sent.filter(({ method }) => method === 'delete').map(({ args }) => args[1])
    expect(revs).toEqual([undefined, undefined, rev, rev])
  })

  it('with an owner works on a session that its schema no longer accepts', async () => {
    const backend = scriptedBackend()
    const { sessions: old } = await openStore({ backend })
    const { id } = await old.create({ legacy: true }, { owner: 'alice' })
    const { sessions } = await openStore({ backend, schema: refusing })
    expect(await sessionFailure(sessions.retrieve(id))).toMatchObject({ code: 'MCP_SESSION_SCHEMA' })
    expect(await sessions.delete(id, { owner: 'alice' })).toBe(true)
  })
})

const refusing = {
  '~standard': { version: 1 as const, vendor: 'test', validate: () => ({ issues: [{ message: 'no' }] }) },
}

describe('consume', () => {
  it('gives the session to exactly one of 50 callers', async () => {
    const backend = scriptedBackend()
    const stores = await Promise.all(Array.from({ length: 5 }, () => openStore({ backend })))
    const { id } = await present(stores[0]).sessions.create({ code: 'x' })
    const taken = await Promise.all(Array.from({ length: 50 }, (_, index) => present(stores[index % 5]).sessions.consume(id)))
    expect(taken.filter((session) => session !== undefined).map((session) => session.metadata)).toEqual([{ code: 'x' }])
    expect(backend.records.size).toBe(0)
  })

  it('gives the session as it was when it was deleted', async () => {
    const { sessions, backend } = await openStore()
    const { id } = await sessions.create({ n: 0 })
    backend.once(
      'delete',
      after(() => sessions.update(id, () => ({ n: 1 }))),
    )
    expect((await sessions.consume(id))?.metadata).toEqual({ n: 1 })
  })

  it('is unknown when the reply got lost: absence does not name the winner', async () => {
    const { sessions, backend } = await openStore()
    const { id } = await sessions.create({})
    backend.once('delete', lostReply)
    expect(await sessionFailure(sessions.consume(id))).toMatchObject({ outcome: 'unknown', retryable: false })
    expect(await sessions.consume(id)).toBeUndefined()
  })

  it('wins when only the request got lost', async () => {
    const { sessions, backend } = await openStore()
    const { id } = await sessions.create({ a: 1 })
    backend.once('delete', lostRequest)
    expect((await sessions.consume(id))?.metadata).toEqual({ a: 1 })
  })

  it('leaves a corrupt session where it is', async () => {
    const { sessions, backend } = await openStore()
    const { id } = await sessions.create({ a: 1 })
    backend.records.set(id, { ...present(backend.records.get(id)), ttlMs: 77 })
    expect(await sessionFailure(sessions.consume(id))).toMatchObject({ code: 'MCP_SESSION_CORRUPT' })
    expect(backend.records.has(id)).toBe(true)
    expect(await sessions.delete(id)).toBe(true)
  })
})

describe('deleteByOwner', () => {
  it('deletes all sessions of that owner and kind, and no other', async () => {
    const backend = scriptedBackend()
    const { sessions } = await openStore({ backend })
    const { sessions: carts } = await openStore({ backend, kind: 'cart' })
    const kept: Session[] = [
      await sessions.create({}, { owner: 'bob' }),
      await sessions.create({}),
      await carts.create({}, { owner: 'alice' }),
      await sessions.create({}, { owner: 'alice ' }),
    ]
    await Promise.all(Array.from({ length: 300 }, () => sessions.create({}, { owner: 'alice' })))
    expect(await sessions.deleteByOwner('alice')).toBe(300)
    expect(new Set(backend.records.keys())).toEqual(new Set(kept.map(({ id }) => id)))
    expect(await sessions.deleteByOwner('alice')).toBe(0)
    expect(sessions.metrics().deleted).toBe(300)
  })

  it('does not overload its own store', async () => {
    const { sessions } = await openStore({ maxInFlight: 2 })
    for (let count = 0; count < 20; count += 1) await sessions.create({}, { owner: 'alice' })
    expect(await sessions.deleteByOwner('alice')).toBe(20)
  })

  it('deletes damaged sessions as well', async () => {
    const { sessions, backend } = await openStore()
    const ids = await Promise.all(Array.from({ length: 5 }, async () => (await sessions.create({}, { owner: 'alice' })).id))
    const record = present(backend.records.get(present(ids[2])))
    backend.records.set(record.id, { ...record, data: 'rotten' })
    expect(await sessions.deleteByOwner('alice')).toBe(5)
    expect(backend.records.size).toBe(0)
  })

  it('deletes what changes meanwhile, unless its owner changes', async () => {
    const { sessions, backend } = await openStore()
    const { id } = await sessions.create({ n: 0 }, { owner: 'alice' })
    backend.once(
      'delete',
      after(() => sessions.update(id, () => ({ n: 1 }))),
    )
    expect(await sessions.deleteByOwner('alice')).toBe(1)
    const { id: moved } = await sessions.create({}, { owner: 'alice' })
    let movedTo: Session | undefined
    backend.once(
      'delete',
      after(async () => {
        movedTo = await sessions.rotate(moved, { newOwner: 'bob' })
      }),
    )
    expect(await sessions.deleteByOwner('alice')).toBe(0)
    expect(await sessions.retrieve(present(movedTo).id, { owner: 'bob' })).toBeDefined()
  })

  it('fails when the engine does', async () => {
    const { sessions, backend } = await openStore()
    await sessions.create({}, { owner: 'alice' })
    backend.once('delete', fails(new DriverError('x', { code: 'MCP_SESSION_UNAVAILABLE', retryable: true, outcome: 'none' })))
    expect(SessionError.is(await sessionFailure(sessions.deleteByOwner('alice')), 'MCP_SESSION_UNAVAILABLE')).toBe(true)
    expect(await sessions.deleteByOwner('alice')).toBe(1)
  })

  it('wants an owner', async () => {
    const { sessions } = await openStore()
    for (const owner of [null, undefined, 5]) {
      await expect(sessions.deleteByOwner(owner as unknown as string)).rejects.toBeInstanceOf(TypeError)
    }
  })
})
