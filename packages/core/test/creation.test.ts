import { describe, expect, it } from 'vitest'
import { newSession, type Session } from '../src/index.ts'
import { fails, hang, lostReply, lostRequest } from './reactions.ts'
import { DriverError } from './scripted-backend.ts'
import { failure, openStore, present, sessionFailure, startAt } from './store.ts'

const full = new DriverError('disk full', { code: 'MCP_SESSION_LIMIT', retryable: false, outcome: 'none' })
const busy = new DriverError('busy', { code: 'MCP_SESSION_LOCKED', retryable: true, outcome: 'none' })

describe('create', () => {
  it('gives a session with the defaults of the store', async () => {
    const { sessions, backend } = await openStore({ ttlMs: 5_000, maxLifetimeMs: 90_000 })
    const session = await sessions.create({ user: 'alice', counter: 0 })
    expect(session).toEqual({
      id: expect.stringMatching(/^s_[\w-]{43}$/),
      owner: null,
      createdAt: startAt,
      lastAccessedAt: startAt,
      ttlMs: 5_000,
      mustEndAt: startAt + 90_000,
      expiresAt: startAt + 5_000,
      rev: expect.any(String),
      metadata: { user: 'alice', counter: 0 },
      context: undefined,
    })
    expect(await sessions.retrieve(session.id)).toEqual(session)
    expect(present(backend.records.get(session.id))).toMatchObject({ prevRev: null, rev: session.rev })
  })

  it('lives for ever and is empty unless told otherwise', async () => {
    const { sessions } = await openStore()
    const session = await sessions.create()
    expect(session).toMatchObject({
      ttlMs: Number.POSITIVE_INFINITY,
      mustEndAt: Number.POSITIVE_INFINITY,
      expiresAt: Number.POSITIVE_INFINITY,
      metadata: {},
    })
  })

  it('takes owner, id, window, limit and context', async () => {
    const { sessions } = await openStore()
    const id = 's_:*?[]{}\'"\\~!'
    const session = await sessions.create(
      { a: 1 },
      { id, owner: 'alice', ttlMs: 10, maxLifetimeMs: 5, context: [1, { deep: new Date(5) }] },
    )
    expect(session).toMatchObject({
      id,
      owner: 'alice',
      ttlMs: 10,
      mustEndAt: startAt + 5,
      expiresAt: startAt + 5,
      context: [1, { deep: new Date(5) }],
    })
    expect(await sessions.retrieve(id, { owner: 'alice' })).toEqual(session)
  })

  it('refuses an id that is live, and takes the place of an expired one', async () => {
    const { sessions, clock } = await openStore()
    await sessions.create({ a: 1 }, { id: 's_mine', ttlMs: 100 })
    const error = await sessionFailure(sessions.create({ a: 2 }, { id: 's_mine' }))
    expect(error).toMatchObject({ code: 'MCP_SESSION_CONFLICT', outcome: 'none' })
    expect((await sessions.retrieve('s_mine'))?.metadata).toEqual({ a: 1 })
    clock.advance(100)
    expect((await sessions.create({ a: 2 }, { id: 's_mine' })).metadata).toEqual({ a: 2 })
    expect((await sessions.retrieve('s_mine'))?.metadata).toEqual({ a: 2 })
  })

  it('lets exactly one of 50 creators of an id win', async () => {
    const { sessions } = await openStore()
    const outcomes = await Promise.allSettled(Array.from({ length: 50 }, (_, n) => sessions.create({ n }, { id: 's_mine' })))
    const winners = outcomes.filter((outcome) => outcome.status === 'fulfilled')
    expect(winners).toHaveLength(1)
    expect(await sessions.retrieve('s_mine')).toEqual(winners[0]?.value)
  })

  it.each(['../evil', '', 's_', 'cart_x', 's_a b', `s_${'x'.repeat(254)}`, 's_é'])('refuses %j as an id of its own', async (id) => {
    const { sessions, backend } = await openStore()
    expect(await failure(sessions.create({}, { id }))).toBeInstanceOf(RangeError)
    expect(backend.count('create')).toBe(0)
  })

  it('refuses an id that is no text', async () => {
    const { sessions } = await openStore()
    expect(await failure(sessions.create({}, { id: 5 as unknown as string }))).toBeInstanceOf(TypeError)
  })
})

class Cart {}

describe('metadata that cannot be kept', () => {
  let bomb: unknown = []
  for (let level = 0; level < 60; level += 1) bomb = [bomb, bomb]
  const cyclic: Record<string, unknown> = {}
  cyclic['self'] = cyclic
  let deep: unknown = 1
  for (let level = 0; level < 101; level += 1) deep = { a: deep }
  const cases: [name: string, metadata: unknown, expected: object][] = [
    ['an array', [1], { name: 'TypeError', message: 'metadata must be a plain object, got an array' }],
    ['null', null, { name: 'TypeError', message: expect.stringContaining('metadata must be a plain object') }],
    ['a text', 'text', { name: 'TypeError', message: expect.stringContaining('got string') }],
    ['a Map', new Map(), { name: 'TypeError' }],
    ['a Date', new Date(), { name: 'TypeError' }],
    ['a class instance', new Cart(), { name: 'TypeError' }],
    ['a function inside', { a: { b: () => 1 } }, { name: 'TypeError', message: expect.stringMatching(/^metadata\.a\.b:/) }],
    ['a cycle', cyclic, { name: 'TypeError', message: expect.stringMatching(/^metadata\.self.*: a cycle/) }],
    [
      'a class instance inside',
      { cart: new Cart() },
      { name: 'TypeError', message: expect.stringMatching(/^metadata\.cart: an instance of Cart/) },
    ],
    [
      'a getter',
      Object.defineProperty({}, 'a', { get: () => 1, enumerable: true }),
      { name: 'TypeError', message: expect.stringMatching(/^metadata\.a: a getter/) },
    ],
    ['an own __proto__', JSON.parse('{"__proto__":{}}'), { name: 'TypeError', message: expect.stringMatching(/^metadata\.__proto__:/) }],
    ['101 levels', deep, { name: 'TypeError', message: expect.stringContaining('deeper than 100 levels') }],
    [
      '2 MiB',
      { text: 'x'.repeat(2 * 1_048_576) },
      { code: 'MCP_SESSION_TOO_LARGE', outcome: 'none', message: expect.stringContaining('1048576 bytes') },
    ],
    ['2 MiB of UTF-8', { text: '€'.repeat(700_000) }, { code: 'MCP_SESSION_TOO_LARGE' }],
    ['text that grows when encoded', { text: '\0'.repeat(500_000) }, { code: 'MCP_SESSION_TOO_LARGE' }],
    ['a bomb of shared references', { bomb }, { code: 'MCP_SESSION_TOO_LARGE' }],
  ]

  it.each(cases)('%s is refused by create and nothing is written', async (_name, metadata, expected) => {
    const { sessions, backend } = await openStore()
    expect(await failure(sessions.create(metadata as object as Record<string, unknown>))).toMatchObject(expected)
    expect(backend.count('create')).toBe(0)
    expect(await sessions.count()).toBe(0)
  })

  it.each(cases)('%s is refused by update and nothing is written', async (_name, metadata, expected) => {
    const { sessions, backend } = await openStore()
    const { id } = await sessions.create({ a: 1 })
    const before = present(backend.records.get(id))
    expect(await failure(sessions.update(id, () => metadata as object as Record<string, unknown>))).toMatchObject(expected)
    expect(backend.records.get(id)).toEqual(before)
    expect(backend.count('replace') + backend.count('touch')).toBe(0)
  })

  it.each(cases.slice(6, -1))('%s is refused as context', async (_name, context, expected) => {
    const { sessions, backend } = await openStore()
    const inContext = { ...expected, ...('name' in expected ? { message: expect.stringMatching(/^context/) } : {}) }
    expect(await failure(sessions.create({}, { context }))).toMatchObject(inContext)
    expect(backend.count('create')).toBe(0)
  })

  it('a proxy that lies is refused', async () => {
    const { sessions } = await openStore()
    const lying = new Proxy({ a: 1 }, { ownKeys: () => [], getPrototypeOf: () => Object.prototype })
    expect(await failure(sessions.create({ lying }))).toMatchObject({ message: expect.stringMatching(/^metadata\.lying: a proxy/) })
    expect(await failure(sessions.create(lying))).toMatchObject({ message: expect.stringMatching(/^metadata: a proxy/) })
  })

  it('metadata and context are bounded together', async () => {
    const { sessions } = await openStore({ maxBytes: 1_000 })
    await sessions.create({ text: 'x'.repeat(900) })
    await sessions.create({}, { context: 'x'.repeat(900) })
    expect(await sessionFailure(sessions.create({ text: 'x'.repeat(500) }, { context: 'x'.repeat(500) }))).toMatchObject({
      code: 'MCP_SESSION_TOO_LARGE',
    })
    const { id } = await sessions.create({ text: 'x'.repeat(500) })
    expect(await sessionFailure(sessions.updateContext(id, () => 'x'.repeat(500)))).toMatchObject({ code: 'MCP_SESSION_TOO_LARGE' })
    expect(await sessions.updateContext(id, () => 'x'.repeat(100))).toBeDefined()
  })

  it('is what was given, whatever happens to that later', async () => {
    const { sessions } = await openStore()
    const metadata = { list: [1] }
    const creating = sessions.create(metadata)
    metadata.list.push(2)
    const { id } = await creating
    expect(Object.isFrozen(metadata)).toBe(false)
    expect((await sessions.retrieve(id))?.metadata).toEqual({ list: [1] })
  })
})

describe('a create whose reply gets lost', () => {
  it.each([
    ['reply', lostReply],
    ['request', lostRequest],
  ])('mints another id after a lost %s, and leaves no ghost', async (_what, reaction) => {
    const { sessions, backend } = await openStore()
    backend.once('create', reaction, reaction)
    const session = await sessions.create({ a: 1 })
    expect(backend.count('create')).toBe(3)
    expect(sessions.metrics()).toMatchObject({ created: 1, retries: 2 })
    await sessions.close()
    expect([...backend.records.keys()]).toEqual([session.id])
    const ids = backend.sent.filter(({ method }) => method === 'create').map(({ args }) => (args[0] as Session).id)
    expect(new Set(ids).size).toBe(3)
  })

  it('is unknown for an id of the caller, which is not tried again', async () => {
    const { sessions, backend } = await openStore()
    backend.once('create', lostReply)
    expect(await sessionFailure(sessions.create({}, { id: 's_mine' }))).toMatchObject({
      code: 'MCP_SESSION_UNAVAILABLE',
      outcome: 'unknown',
    })
    expect(backend.count('create')).toBe(1)
  })

  it.each([full, busy])('is unknown also when the next attempt certainly wrote nothing', async (error) => {
    const { sessions, backend } = await openStore()
    backend.once('create', lostReply, fails(error))
    expect(await sessionFailure(sessions.create({}))).toMatchObject({ outcome: 'unknown' })
  })

  it('is unknown when all replies are lost until the deadline', async () => {
    const { sessions, backend } = await openStore({ callTimeoutMs: 60 })
    backend.always('create', lostReply)
    expect(await sessionFailure(sessions.create({}))).toMatchObject({
      code: 'MCP_SESSION_UNAVAILABLE',
      outcome: 'unknown',
      retryable: true,
    })
    expect(backend.count('create')).toBeGreaterThan(1)
  })

  it('wrote nothing when the engine said so at once', async () => {
    const { sessions, backend } = await openStore()
    backend.once('create', fails(full))
    expect(await sessionFailure(sessions.create({}))).toMatchObject({ code: 'MCP_SESSION_LIMIT', outcome: 'none', cause: full })
    expect(backend.count('create')).toBe(1)
  })

  it('is unknown, and not tried again, when the engine never answers', async () => {
    const { sessions, backend } = await openStore({ callTimeoutMs: 30 })
    backend.always('create', hang)
    expect(await sessionFailure(sessions.create({}))).toMatchObject({ code: 'MCP_SESSION_TIMEOUT', outcome: 'unknown' })
    expect(backend.count('create')).toBe(1)
  })
})

describe('restore', () => {
  it('moves a detached session into the store, under a new rev', async () => {
    const { sessions, backend } = await openStore()
    const detached = newSession({ cart: ['book'] }, { now: startAt - 500, ttlMs: 1_000, maxLifetimeMs: 5_000, owner: 'alice' })
    const restored = await sessions.restore(detached)
    expect(restored).toEqual({ ...detached, rev: expect.any(String) })
    expect(restored.rev).not.toBe(detached.rev)
    expect(present(backend.records.get(detached.id))).toMatchObject({ prevRev: null, expiresAt: startAt + 500 })
    expect(await sessions.retrieve(detached.id, { owner: 'alice' })).toMatchObject({
      metadata: { cart: ['book'] },
      createdAt: startAt - 500,
    })
  })

  it('carries a session with its context from store to store', async () => {
    const one = await openStore()
    const other = await openStore()
    const session = await one.sessions.create({ d: new Date(5) }, { context: { c: 1n }, ttlMs: 50 })
    expect(await other.sessions.restore(session)).toEqual({ ...session, rev: expect.any(String) })
  })

  it('refuses a session that is live there', async () => {
    const { sessions } = await openStore()
    const session = await sessions.create({ a: 1 })
    expect(await sessionFailure(sessions.restore(session))).toMatchObject({ code: 'MCP_SESSION_CONFLICT' })
  })

  it('keeps an expired session expired', async () => {
    const { sessions } = await openStore()
    const restored = await sessions.restore(newSession({}, { now: startAt - 1_000, ttlMs: 500 }))
    expect(restored.expiresAt).toBe(startAt - 500)
    expect(await sessions.retrieve(restored.id)).toBeUndefined()
  })

  it('computes the expiry itself', async () => {
    const { sessions } = await openStore()
    const forged = { ...newSession({}, { now: startAt, ttlMs: 500 }), expiresAt: Number.POSITIVE_INFINITY }
    expect((await sessions.restore(forged)).expiresAt).toBe(startAt + 500)
  })

  it.each([
    [{ id: 'cart_x' }, RangeError],
    [{ id: '../evil' }, RangeError],
    [{ id: 5 }, TypeError],
    [{ owner: '' }, RangeError],
    [{ createdAt: Number.NaN }, RangeError],
    [{ createdAt: -1 }, RangeError],
    [{ lastAccessedAt: 1.5 }, RangeError],
    [{ lastAccessedAt: Number.POSITIVE_INFINITY }, RangeError],
    [{ ttlMs: -1 }, RangeError],
    [{ mustEndAt: '5' }, TypeError],
    [{ metadata: [] }, TypeError],
    [{ metadata: { f: () => 1 } }, TypeError],
    [{ context: () => 1 }, TypeError],
  ])('refuses %o before the engine is asked', async (changes, errorClass) => {
    const { sessions, backend } = await openStore()
    const session = { ...newSession({}, { now: startAt }), ...changes } as Session
    expect(await failure(sessions.restore(session))).toBeInstanceOf(errorClass)
    expect(backend.count('create')).toBe(0)
  })

  it('never stores an access before the creation', async () => {
    const { sessions } = await openStore()
    const restored = await sessions.restore({ ...newSession({}, { now: startAt, ttlMs: 500 }), lastAccessedAt: startAt - 100 })
    expect(restored).toMatchObject({ createdAt: startAt, lastAccessedAt: startAt, expiresAt: startAt + 500 })
    expect(await sessions.retrieve(restored.id)).toBeDefined()
  })
})
