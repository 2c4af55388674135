import { describe, expect, it } from 'vitest'
import { type CorruptSession, type Session, SessionError } from '../src/index.ts'
import { fails } from './reactions.ts'
import { scriptedBackend } from './scripted-backend.ts'
import { failure, openStore, present, sessionFailure } from './store.ts'

async function filled(count: number, options: Parameters<typeof openStore>[0] = {}) {
  const store = await openStore(options)
  const created = await Promise.all(
    Array.from({ length: count }, (_, n) => store.sessions.create({ n }, { owner: n % 3 === 0 ? 'alice' : 'bob' })),
  )
  return { ...store, ids: created.map(({ id }) => id).toSorted() }
}

function isSession(entry: Session<object> | CorruptSession): entry is Session<object> {
  return !('error' in entry)
}

describe('list', () => {
  it('gives all live sessions page by page', async () => {
    const { sessions, ids } = await filled(25)
    const listed: string[] = []
    let cursor: string | undefined
    let pages = 0
    do {
      const page = await sessions.list({ limit: 10, cursor })
      expect(page.sessions.length).toBeLessThanOrEqual(10)
      listed.push(...page.sessions.map(({ id }) => id))
      cursor = page.cursor
      pages += 1
    } while (cursor !== undefined)
    expect([listed.toSorted(), pages]).toEqual([ids, 3])
  })

  it('gives the same snapshots as retrieve, without an access', async () => {
    const { sessions, backend, clock } = await openStore({ touchIntervalMs: 0 })
    const session = await sessions.create({ a: new Map([[1, 2]]) }, { context: 'c', owner: 'alice' })
    clock.advance(5)
    const { sessions: listed } = await sessions.list()
    expect(listed).toEqual([session])
    expect(Object.isFrozen(listed[0])).toBe(true)
    expect(backend.count('touch')).toBe(0)
  })

  it('gives 100 at most unless told otherwise', async () => {
    const { sessions } = await filled(120)
    const page = await sessions.list()
    expect(page.sessions).toHaveLength(100)
    expect((await sessions.list({ cursor: page.cursor })).sessions).toHaveLength(20)
    expect((await sessions.list({ limit: 10_000 })).sessions).toHaveLength(120)
  })

  it('gives the sessions of an owner only', async () => {
    const { sessions } = await filled(30)
    const { sessions: listed } = await sessions.list({ owner: 'alice' })
    expect(listed).toHaveLength(10)
    expect(listed.every((entry) => isSession(entry) && entry.owner === 'alice')).toBe(true)
    expect((await sessions.list({ owner: 'nobody' })).sessions).toEqual([])
  })

  it('shows no internal, foreign or expired records', async () => {
    const backend = scriptedBackend()
    const { sessions, clock } = await openStore({ backend })
    const { sessions: nodes } = await openStore({ backend, kind: '!node' })
    await nodes.create({})
    await sessions.create({}, { ttlMs: 5 })
    const { id } = await sessions.create({})
    clock.advance(5)
    expect((await sessions.list()).sessions.map((session) => session.id)).toEqual([id])
    expect(await sessions.count()).toBe(1)
  })

  it('names the damaged ones and goes on', async () => {
    const { sessions, backend, ids } = await filled(9)
    const damaged = [present(ids[2]), present(ids[7])]
    for (const id of damaged) backend.records.set(id, { ...present(backend.records.get(id)), createdAt: 5 })
    const { sessions: listed } = await sessions.list({ limit: 9 })
    expect(listed.map(({ id }) => id)).toEqual(ids)
    const corrupt = listed.filter((entry) => 'error' in entry)
    expect(corrupt.map(({ id }) => id)).toEqual(damaged)
    for (const entry of corrupt) {
      expect(Object.isFrozen(entry)).toBe(true)
      expect(SessionError.is(entry.error, 'MCP_SESSION_CORRUPT')).toBe(true)
    }
    expect(await sessions.count()).toBe(9)
  })

  it('names those that the schema no longer accepts', async () => {
    const backend = scriptedBackend()
    await filled(2, { backend })
    const schema = { '~standard': { version: 1 as const, vendor: 'test', validate: () => ({ issues: [{ message: 'no' }] }) } }
    const { sessions } = await openStore({ backend, schema })
    const { sessions: listed } = await sessions.list()
    expect(listed.map((entry) => 'error' in entry && entry.error.code)).toEqual(['MCP_SESSION_SCHEMA', 'MCP_SESSION_SCHEMA'])
  })

  it.each([0, -1, 1.5, 10_001, Number.NaN, Number.POSITIVE_INFINITY])('refuses a limit of %s', async (limit) => {
    const { sessions, backend } = await openStore()
    expect(await failure(sessions.list({ limit }))).toEqual(new RangeError(`limit must be an integer from 1 to 10000, got ${limit}`))
    expect(await failure(sessions.iterate({ limit }).next())).toBeInstanceOf(RangeError)
    expect(backend.count('list')).toBe(0)
  })

  it.each(['garbage', '', 'e30', Buffer.from('other\ns_x').toString('base64url')])(
    'refuses the cursor %j as the caller’s mistake',
    async (cursor) => {
      const { sessions } = await filled(3)
      const error = await failure(sessions.list({ cursor }))
      expect(error).toBeInstanceOf(TypeError)
      expect(SessionError.is(error)).toBe(false)
      expect((await sessions.list()).sessions).toHaveLength(3)
    },
  )

  it.each([[5], [null], [{}]])('refuses the cursor %o before the engine is asked', async (cursor) => {
    const { sessions, backend } = await openStore()
    expect(await failure(sessions.list({ cursor: cursor as unknown as string }))).toBeInstanceOf(TypeError)
    expect(backend.count('list')).toBe(0)
  })

  it('refuses null as an owner: there is no listing of unowned sessions', async () => {
    const { sessions } = await openStore()
    const owner = null as unknown as string
    expect(await failure(sessions.list({ owner }))).toEqual(new TypeError('owner must be a string, got null'))
    expect(await failure(sessions.count({ owner }))).toBeInstanceOf(TypeError)
  })

  it('is a failure of the engine when a driver throws a TypeError without a cursor', async () => {
    const { sessions, backend } = await openStore()
    backend.always('list', fails(new TypeError("Cannot read properties of undefined (reading 'rows')")))
    expect(await sessionFailure(sessions.list())).toMatchObject({ code: 'MCP_SESSION_INTERNAL', outcome: 'none' })
    expect(await sessionFailure(sessions.count())).toMatchObject({ code: 'MCP_SESSION_INTERNAL' })
  })
})

describe('iterate', () => {
  it('gives all sessions of all pages', async () => {
    const { sessions, backend, ids } = await filled(25)
    const seen: string[] = []
    for await (const entry of sessions.iterate({ limit: 4 })) seen.push(entry.id)
    expect(seen.toSorted()).toEqual(ids)
    expect(backend.count('list')).toBe(7)
  })

  it('reads no page before it is asked for, and no more than that', async () => {
    const { sessions, backend } = await filled(25)
    const iterator = sessions.iterate({ limit: 5 })
    expect(backend.count('list')).toBe(0)
    for await (const _entry of iterator) break
    expect(backend.count('list')).toBe(1)
  })

  it('gives the sessions of an owner only', async () => {
    const { sessions } = await filled(30)
    const owners: unknown[] = []
    for await (const entry of sessions.iterate({ owner: 'bob', limit: 7 })) owners.push(isSession(entry) && entry.owner)
    expect(owners).toEqual(Array.from({ length: 20 }, () => 'bob'))
  })
})

describe('count', () => {
  it('counts over all pages, by headers only', async () => {
    const { sessions, backend } = await filled(1_203, { maxInFlight: 2_000 })
    expect([await sessions.count(), await sessions.count({ owner: 'alice' }), await sessions.count({ owner: 'nobody' })]).toEqual([
      1_203, 401, 0,
    ])
    for (const { args } of backend.sent.filter(({ method }) => method === 'list')) expect(args[0]).toMatchObject({ data: false })
  })
})
