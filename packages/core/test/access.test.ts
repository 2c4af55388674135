import { describe, expect, it } from 'vitest'
import { SessionError } from '../src/index.ts'
import { scriptedBackend } from './scripted-backend.ts'
import { failure, openStore, present, startAt } from './store.ts'

const strangers = [
  '../evil',
  "x'; drop table sessions; --",
  'a*',
  `s_${'x'.repeat(254)}`,
  's_\n',
  's_line\nbreak',
  '',
  's_',
  'cart_abcdefgh',
  '!node_abcdefgh',
  's_\0',
  's_é',
]

describe('an id that can be none of this store', () => {
  it.each(strangers)('%j is not found, and the engine is not asked', async (id) => {
    const { sessions, backend } = await openStore()
    expect(await sessions.retrieve(id)).toBeUndefined()
    expect(await sessions.update(id, (metadata) => metadata)).toBeUndefined()
    expect(await sessions.updateContext(id, () => 1)).toBeUndefined()
    expect(await sessions.delete(id)).toBe(false)
    expect(await sessions.delete(id, { owner: 'alice' })).toBe(false)
    expect(await sessions.consume(id)).toBeUndefined()
    expect(await sessions.setTtl(id, 5)).toBe(false)
    expect(await sessions.touch(id)).toBe(false)
    expect(await sessions.rotate(id)).toBeUndefined()
    expect(
      await sessions.events?.append(id, { key: 'k', stream: 's', data: '' }, { maxEvents: 1, maxAgeMs: 1, maxBytes: 1 }),
    ).toBeUndefined()
    expect(await sessions.events?.read(id, { after: 0, limit: 1, maxAgeMs: 1 })).toBeUndefined()
    expect(backend.sent.map(({ method }) => method)).toEqual(['open'])
  })

  it.each([[5], [undefined], [null], [{ toString: () => 's_abc' }]])('%o is a TypeError everywhere', async (given) => {
    const { sessions, backend } = await openStore()
    const id = given as string
    for (const call of [
      () => sessions.retrieve(id),
      () => sessions.update(id, (metadata) => metadata),
      () => sessions.updateContext(id, () => 1),
      () => sessions.delete(id),
      () => sessions.consume(id),
      () => sessions.setTtl(id, 5),
      () => sessions.touch(id),
      () => sessions.rotate(id),
    ]) {
      expect(await failure(call())).toMatchObject({ name: 'TypeError', message: expect.stringMatching(/^id must be a string, got/) })
    }
    expect(backend.count('get')).toBe(0)
  })
})

describe('what is known', () => {
  it('goes along with a read: the record as it was decoded last, and none once it is gone', async () => {
    const { sessions, backend } = await openStore()
    const { id } = await sessions.create({ n: 1 })
    const knownRevs = () =>
      backend.sent.filter(({ method }) => method === 'get').map(({ args }) => (args[2] as { rev: string } | undefined)?.rev)
    const first = present(await sessions.retrieve(id))
    await sessions.update(id, () => ({ n: 2 }))
    const second = present(await sessions.retrieve(id))
    await sessions.delete(id)
    await sessions.retrieve(id)
    await sessions.retrieve(id)
    expect(knownRevs().at(0)).toBe(first.rev)
    expect(knownRevs().at(1)).toBe(second.rev)
    expect(knownRevs().at(-1)).toBeUndefined()
  })

  it('stays known when a stranger asks for it', async () => {
    const { sessions, backend } = await openStore()
    const { id, rev } = await sessions.create({ n: 1 }, { owner: 'alice' })
    expect(await sessions.retrieve(id, { owner: 'mallory' })).toBeUndefined()
    await sessions.retrieve(id)
    expect(backend.sent.at(-1)?.args[2]).toMatchObject({ rev })
  })
})

describe('kinds', () => {
  it('an id of one kind is not found in the store of another', async () => {
    const backend = scriptedBackend()
    const { sessions } = await openStore({ backend })
    const { sessions: carts } = await openStore({ backend, kind: 'cart' })
    const { sessions: nodes } = await openStore({ backend, kind: '!node' })
    const { id } = await sessions.create({ a: 1 })
    const { id: cartId } = await carts.create({ b: 2 })
    const { id: nodeId } = await nodes.create({ c: 3 })
    expect([id, cartId, nodeId].map((text) => text.replace(/_.*/, ''))).toEqual(['s', 'cart', '!node'])
    expect(await carts.retrieve(id)).toBeUndefined()
    expect(await sessions.retrieve(cartId)).toBeUndefined()
    expect(await sessions.retrieve(nodeId)).toBeUndefined()
    expect(await carts.delete(id)).toBe(false)
    expect((await nodes.retrieve(nodeId))?.metadata).toEqual({ c: 3 })
    expect((await sessions.list()).sessions.map((session) => session.id)).toEqual([id])
    expect([await sessions.count(), await carts.count(), await nodes.count()]).toEqual([1, 1, 1])
  })

  it('a kind that begins like another is another', async () => {
    const backend = scriptedBackend()
    const { sessions } = await openStore({ backend })
    const { sessions: others } = await openStore({ backend, kind: 'sx' })
    const { id } = await others.create({})
    expect(await sessions.retrieve(id)).toBeUndefined()
    expect(await sessions.count()).toBe(0)
  })
})

describe('owners', () => {
  async function owned(owner: string | null) {
    const store = await openStore()
    return { ...store, id: (await store.sessions.create({ secret: 1 }, { owner })).id }
  }

  it('the right owner, and code that does not ask, find the session', async () => {
    const { sessions, id } = await owned('alice')
    expect((await sessions.retrieve(id, { owner: 'alice' }))?.metadata).toEqual({ secret: 1 })
    expect((await sessions.retrieve(id))?.owner).toBe('alice')
    expect((await sessions.update(id, () => ({ secret: 2 }), { owner: 'alice' }))?.metadata).toEqual({ secret: 2 })
    expect(await sessions.touch(id, { owner: 'alice' })).toBe(true)
    expect(await sessions.setTtl(id, 50_000, { owner: 'alice' })).toBe(true)
    expect(await sessions.delete(id, { owner: 'alice' })).toBe(true)
  })

  it.each([
    ['alice', 'bob'],
    ['alice', null],
    ['alice', 'alic'],
    ['alice', 'Alice'],
    [null, 'null'],
    [null, 'alice'],
  ])('to a session of %j, %j is a stranger', async (owner, other) => {
    const { sessions, backend, id } = await owned(owner)
    const before = present(backend.records.get(id))
    const missing = 's_missing'
    for (const asked of [id, missing]) {
      expect(await sessions.retrieve(asked, { owner: other })).toBeUndefined()
      expect(await sessions.update(asked, () => ({ secret: 3 }), { owner: other })).toBeUndefined()
      expect(await sessions.updateContext(asked, () => 1, { owner: other })).toBeUndefined()
      expect(await sessions.delete(asked, { owner: other })).toBe(false)
      expect(await sessions.consume(asked, { owner: other })).toBeUndefined()
      expect(await sessions.setTtl(asked, 1, { owner: other })).toBe(false)
      expect(await sessions.touch(asked, { owner: other })).toBe(false)
      expect(await sessions.rotate(asked, { owner: other, newOwner: other })).toBeUndefined()
    }
    expect(backend.records.get(id)).toEqual(before)
    expect(backend.count('touch') + backend.count('replace') + backend.count('delete')).toBe(0)
  })

  it('null finds an unowned session', async () => {
    const { sessions, id } = await owned(null)
    expect((await sessions.retrieve(id, { owner: null }))?.owner).toBeNull()
    expect(await sessions.consume(id, { owner: null })).toBeDefined()
  })

  it('a stranger counts as a miss and runs nobody’s schema or codec', async () => {
    const decoded: unknown[] = []
    const { sessions } = await openStore({
      codec: {
        encode: (value) => JSON.stringify(value),
        decode: (text) => {
          decoded.push(text)
          return JSON.parse(text)
        },
      },
      cacheBytes: 0,
    })
    const { id } = await sessions.create({ a: 1 }, { owner: 'alice' })
    decoded.length = 0
    await sessions.retrieve(id, { owner: 'bob' })
    expect(decoded).toEqual([])
    expect(sessions.metrics()).toMatchObject({ hits: 0, misses: 1 })
  })

  it.each([[''], ['a\0b'], ['\ud800'], ['x'.repeat(1_025)]])('%j is no owner: a RangeError before the engine is asked', async (owner) => {
    const { sessions, backend } = await openStore()
    expect(await failure(sessions.retrieve('s_abc', { owner }))).toBeInstanceOf(RangeError)
    expect(await failure(sessions.create({}, { owner }))).toBeInstanceOf(RangeError)
    expect(await failure(sessions.rotate('s_abc', { newOwner: owner }))).toBeInstanceOf(RangeError)
    expect(await failure(sessions.deleteByOwner(owner))).toBeInstanceOf(RangeError)
    expect(await failure(sessions.list({ owner }))).toBeInstanceOf(RangeError)
    expect(await failure(sessions.count({ owner }))).toBeInstanceOf(RangeError)
    expect(backend.sent).toHaveLength(1)
  })

  it.each([[5], [true], [{}]])('%o is no owner: a TypeError', async (given) => {
    const { sessions } = await openStore()
    const owner = given as unknown as string
    expect(await failure(sessions.retrieve('s_abc', { owner }))).toBeInstanceOf(TypeError)
    expect(await failure(sessions.create({}, { owner }))).toBeInstanceOf(TypeError)
  })
})

describe('lifetimes', () => {
  it.each([1, 1_000, 2 ** 31 - 1, 2 ** 31, 10_000 * 31_557_600_000])(
    'a ttl of %s ms is readable at expiresAt − 1 and absent at expiresAt',
    async (ttlMs) => {
      const { sessions, clock, backend } = await openStore({ touchIntervalMs: Number.POSITIVE_INFINITY })
      const { id, expiresAt } = await sessions.create({ a: 1 }, { ttlMs })
      expect(expiresAt).toBe(startAt + ttlMs)
      clock.set(expiresAt - 1)
      expect((await sessions.retrieve(id))?.metadata).toEqual({ a: 1 })
      clock.set(expiresAt)
      expect(await sessions.retrieve(id)).toBeUndefined()
      expect(await sessions.update(id, (metadata) => metadata)).toBeUndefined()
      expect(await sessions.touch(id)).toBe(false)
      expect(await sessions.setTtl(id, 1_000)).toBe(false)
      expect(await sessions.consume(id)).toBeUndefined()
      expect(await sessions.delete(id)).toBe(false)
      expect(await sessions.rotate(id)).toBeUndefined()
      expect((await sessions.list()).sessions).toEqual([])
      expect(backend.records.size).toBe(1)
    },
  )

  it('0 expires at once, Infinity never', async () => {
    const { sessions, clock } = await openStore()
    const gone = await sessions.create({}, { ttlMs: 0 })
    const lasting = await sessions.create({}, { ttlMs: Number.POSITIVE_INFINITY })
    expect(await sessions.retrieve(gone.id)).toBeUndefined()
    clock.set(Number.MAX_SAFE_INTEGER)
    expect(await sessions.retrieve(lasting.id)).toMatchObject({ expiresAt: Number.POSITIVE_INFINITY })
  })

  it('a window beyond the safe integers never ends', async () => {
    const { sessions } = await openStore()
    const { expiresAt } = await sessions.create({}, { ttlMs: Number.MAX_SAFE_INTEGER })
    expect(expiresAt).toBe(Number.POSITIVE_INFINITY)
  })

  it('the absolute limit holds against every access', async () => {
    const { sessions, clock } = await openStore({ touchIntervalMs: 0 })
    const { id, mustEndAt } = await sessions.create({}, { ttlMs: 1_000, maxLifetimeMs: 2_500 })
    for (const at of [900, 1_800, 2_499]) {
      clock.set(startAt + at)
      expect(await sessions.retrieve(id)).toMatchObject({
        mustEndAt: startAt + 2_500,
        expiresAt: Math.min(startAt + at + 1_000, mustEndAt),
      })
      expect(await sessions.setTtl(id, 1_000)).toBe(true)
      expect(await sessions.update(id, (metadata) => ({ ...metadata, at }))).toBeDefined()
    }
    clock.set(startAt + 2_500)
    expect(await sessions.retrieve(id)).toBeUndefined()
  })

  it('setTtl counts from now and keeps the metadata', async () => {
    const { sessions, clock } = await openStore()
    const { id, rev } = await sessions.create({ a: 1 }, { ttlMs: 1_000, context: { b: 2 } })
    clock.advance(500)
    expect(await sessions.setTtl(id, 10_000)).toBe(true)
    expect(await sessions.retrieve(id)).toMatchObject({ ttlMs: 10_000, expiresAt: startAt + 10_500, metadata: { a: 1 }, context: { b: 2 } })
    expect((await sessions.retrieve(id))?.rev).not.toBe(rev)
    expect(await sessions.setTtl(id, 0)).toBe(true)
    expect(await sessions.retrieve(id)).toBeUndefined()
  })

  it.each([
    [-1, RangeError],
    [Number.NaN, RangeError],
    [1.5, RangeError],
    [1e300, RangeError],
    ['5', TypeError],
    [null, TypeError],
  ])('%o as a ttl is refused everywhere, and named', async (given, errorClass) => {
    const { sessions, backend } = await openStore()
    const { id } = await sessions.create({})
    const sent = backend.sent.length
    const ttlMs = given as number
    for (const call of [
      () => sessions.create({}, { ttlMs }),
      () => sessions.create({}, { maxLifetimeMs: ttlMs }),
      () => sessions.setTtl(id, ttlMs),
    ]) {
      const error = await failure(call())
      expect(error).toBeInstanceOf(errorClass)
      expect((error as Error).message).toContain(JSON.stringify(given)?.replace('null', '') ?? '')
      expect((error as Error).message).toContain(typeof given === 'number' ? String(given) : '')
    }
    expect(backend.sent).toHaveLength(sent)
    expect(await sessions.retrieve(id)).toBeDefined()
  })
})

describe('the clock of the application', () => {
  it('that gives NaN fails each call and loses nothing', async () => {
    let broken = false
    const { sessions, backend } = await openStore({ now: () => (broken ? Number.NaN : startAt) })
    const { id } = await sessions.create({ a: 1 })
    const before = present(backend.records.get(id))
    broken = true
    for (const call of [
      () => sessions.create({}),
      () => sessions.retrieve(id),
      () => sessions.update(id, () => ({})),
      () => sessions.delete(id),
    ]) {
      expect(await failure(call())).toEqual(new RangeError('now() must return epoch milliseconds, got NaN'))
    }
    broken = false
    expect(backend.records.get(id)).toEqual(before)
    expect((await sessions.retrieve(id))?.metadata).toEqual({ a: 1 })
  })

  it('that goes back loses nothing, moves no access back, and is reported once', async () => {
    const { sessions, clock, reported, backend } = await openStore({ ttlMs: 10_000, touchIntervalMs: 0 })
    const { id } = await sessions.create({ a: 1 })
    clock.set(startAt - 50_000)
    expect(await sessions.retrieve(id)).toMatchObject({ lastAccessedAt: startAt, expiresAt: startAt + 10_000 })
    expect(await sessions.update(id, () => ({ a: 2 }))).toMatchObject({ lastAccessedAt: startAt })
    expect(await sessions.touch(id)).toBe(true)
    expect(await sessions.setTtl(id, 20_000)).toBe(true)
    expect(present(backend.records.get(id))).toMatchObject({ lastAccessedAt: startAt, expiresAt: startAt + 20_000 })
    expect((await sessions.rotate(id))?.metadata).toEqual({ a: 2 })
    expect(reported).toHaveLength(1)
    expect(reported[0]).toMatchObject({ name: 'RangeError', message: expect.stringContaining('50000 ms') })
  })
})

describe('what a backend must not give', () => {
  it('an expired record is not found', async () => {
    const { sessions, backend, clock } = await openStore()
    const { id } = await sessions.create({ a: 1 }, { ttlMs: 100 })
    const record = present(backend.records.get(id))
    clock.advance(200)
    backend.always('get', async <T>() => record as T)
    expect(await sessions.retrieve(id)).toBeUndefined()
    expect(await sessions.touch(id)).toBe(false)
  })

  it('the record of another id is corrupt', async () => {
    const { sessions, backend } = await openStore()
    const { id } = await sessions.create({ a: 1 })
    const other = present(backend.records.get((await sessions.create({ b: 2 })).id))
    backend.records.set(id, other)
    const error = await failure(sessions.retrieve(id))
    expect(SessionError.is(error, 'MCP_SESSION_CORRUPT')).toBe(true)
  })
})
