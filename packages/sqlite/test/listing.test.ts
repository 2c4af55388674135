import type { ListQuery, SessionBackend } from '@mcp-session/core/backend'
import type Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import type { SqliteDatabase } from '../src/index.ts'
import { prepareStatements } from '../src/statements.ts'
import { call, epoch, newPath, newRecord, opened, rawDatabase } from './fixtures.ts'

describe('list', () => {
  it('shows every record that lives throughout, whatever is deleted and created between pages', async () => {
    const backend = await opened({ path: newPath() })
    const ids = Array.from({ length: 60 }, (_, index) => `s_${(index * 7) % 60}`.padEnd(8, 'x'))
    for (const id of ids) await backend.create(newRecord({ id }), call())
    const staying = ids.filter((_, index) => index % 3 === 0)
    const leaving = ids.filter((_, index) => index % 3 !== 0)
    const seen: string[] = []
    let cursor: string | undefined
    let round = 0
    do {
      const page = await backend.list(cursor === undefined ? { limit: 4 } : { limit: 4, cursor }, call())
      seen.push(...page.records.map(({ id }) => id))
      cursor = page.cursor
      // The last record of a page is what a position could hang on: it goes first.
      const last = seen.at(-1) ?? ''
      const victims = [leaving.includes(last) ? last : leaving[round], leaving[round + 20]]
      for (const id of victims) if (id !== undefined) await backend.delete(id, undefined, call())
      await backend.create(newRecord({ id: `s_new${round}` }), call())
      round += 1
    } while (cursor !== undefined)
    for (const id of staying) expect(seen).toContain(id)
  })

  it('puts no id into a cursor', async () => {
    const backend = await opened({ path: newPath() })
    const ids = Array.from({ length: 300 }, (_, index) => `s_${Buffer.alloc(32, Math.sin(index).toString()).toString('base64url')}`)
    for (const id of ids) await backend.create(newRecord({ id }), call())
    for (const cursor of await cursors(backend, { limit: 7 })) {
      const position = Buffer.from(Buffer.from(cursor, 'base64url').toString().split('\n')[1] ?? '', 'hex').toString()
      expect(position.length).toBeLessThan(16)
    }
  })

  it.each([
    ['s_a', ['s_a', 's_a!', 's_aB', 's_a~', 's_a~~']],
    ['s_A', ['s_A', 's_Ab']],
    ['s_a~', ['s_a~', 's_a~~']],
    ['~', ['~', '~~']],
    ['s_b', ['s_b']],
    ['s_%', ['s_%']],
    ['é', []],
  ])('finds the ids that begin with %j, letter by letter', async (prefix, expected) => {
    const backend = await opened({ path: newPath() })
    const ids = ['s_a', 's_A', 's_aB', 's_Ab', 's_a~', 's_a~~', 's_a!', 's_b', 's_%', 't_a', '~', '~~', '!']
    for (const id of ids) await backend.create(newRecord({ id }), call())
    expect((await collected(backend, { limit: 1, prefix })).sort()).toEqual(expected)
    expect((await collected(backend, { limit: 100, prefix })).sort()).toEqual(expected)
    expect((await collected(backend, { limit: 3 })).length).toBe(ids.length)
  })

  it('ends a page at 4 MiB and takes a longer record alone', async () => {
    const backend = await opened({ path: newPath() })
    const megabyte = 1024 * 1024
    for (const size of [3, 2, 1, 1, 5, 1]) await backend.create(newRecord({ data: 'é'.repeat((size * megabyte) / 2) }), call())
    const sizes: number[][] = []
    let cursor: string | undefined
    do {
      const page = await backend.list(cursor === undefined ? { limit: 100 } : { limit: 100, cursor }, call())
      sizes.push(page.records.map(({ data }) => Buffer.byteLength(data) / megabyte))
      cursor = page.cursor
    } while (cursor !== undefined)
    expect(sizes).toEqual([[3], [2, 1, 1], [5], [1]])
    const headers = await backend.list({ limit: 100, data: false }, call())
    expect(headers.records.map(({ data }) => data)).toEqual(['', '', '', '', '', ''])
  })

  it('steps over dead records in bounded pages, and reaches the living behind them', async () => {
    const backend = await opened({ path: newPath(), durable: false })
    const dead = Array.from({ length: 5_000 }, (_, index) => newRecord({ id: `s_a${index}`, expiresAt: epoch }))
    await Promise.all(dead.map((record) => backend.create(record, call())))
    await backend.create(newRecord({ id: 's_z' }), call())
    const page = await backend.list({ limit: 10 }, call())
    expect(page.records).toEqual([])
    expect(page.cursor).toBeDefined()
    expect(await collected(backend, { limit: 10 })).toEqual(['s_z'])
  })

  it('refuses a cursor that is not its own', async () => {
    const backend = await opened({ path: newPath() })
    const foreign = Buffer.from('memory\n1').toString('base64url')
    const odd = Buffer.from('sqlite\nxyz').toString('base64url')
    for (const cursor of ['', 'garbage', foreign, odd, 'ä']) {
      await expect(backend.list({ limit: 1, cursor }, call())).rejects.toBeInstanceOf(TypeError)
    }
  })

  it('goes on in another process with a cursor of this one', async () => {
    const path = newPath()
    const one = await opened({ path })
    const two = await opened({ path })
    for (const id of ['s_1', 's_2', 's_3']) await one.create(newRecord({ id }), call())
    const { cursor } = await one.list({ limit: 1 }, call())
    expect((await two.list({ limit: 9, cursor: cursor ?? '' }, call())).records.map(({ id }) => id)).toEqual(['s_2', 's_3'])
  })

  it('finds the sessions of one owner', async () => {
    const backend = await opened({ path: newPath() })
    for (let index = 0; index < 50; index += 1) await backend.create(newRecord({ owner: `o${index % 10}` }), call())
    expect(await collected(backend, { limit: 2, owner: 'o3', prefix: 's_' })).toHaveLength(5)
  })
})

describe('the statements', () => {
  it('find their rows by an index, and an owner’s sessions by the owner’s', async () => {
    const path = newPath()
    await opened({ path })
    const plans = statementPlans(rawDatabase(path))
    const owned = plans.filter(({ sql }) => sql.includes('owner = @owner AND'))
    expect(owned).toHaveLength(2)
    for (const { steps } of owned)
      expect(steps).toEqual(['SEARCH mcp_session USING INDEX mcp_session_by_owner (owner=? AND id>? AND id<?)'])
    const scans = plans.flatMap(({ steps }) => steps.filter((step) => /SCAN mcp_session(?!_schema)/.test(step)))
    expect(scans).toEqual([])
  })
})

describe('deleteExpired', () => {
  it('deletes exactly the expired half of 100,000 sessions, in slices', { timeout: 60_000 }, async () => {
    const backend = await opened({ path: newPath(), durable: false })
    const records = Array.from({ length: 100_000 }, (_, index) => newRecord({ expiresAt: epoch + (index % 2) * 1_000 }))
    for (let start = 0; start < records.length; start += 5_000) {
      await Promise.all(records.slice(start, start + 5_000).map((record) => backend.create(record, call())))
    }
    const slices: number[] = []
    do slices.push(await backend.deleteExpired(1_000, call()))
    while (slices.at(-1) !== 0)
    expect(slices).toEqual([...Array.from({ length: 500 }, () => 100), 0])
    const living = new Set(await collected(backend, { limit: 10_000, data: false }))
    expect(records.every(({ id, expiresAt }) => living.has(id) === expiresAt > epoch)).toBe(true)
  })

  it('leaves "never" alone at any time', async () => {
    const backend = await opened({ path: newPath() })
    const never = Number.POSITIVE_INFINITY
    const record = newRecord({ ttlMs: never, mustEndAt: never, expiresAt: never })
    await backend.create(record, call())
    expect(await backend.deleteExpired(10, call(Number.MAX_SAFE_INTEGER))).toBe(0)
    expect(await backend.get(record.id, call(Number.MAX_SAFE_INTEGER))).toEqual(record)
  })

  it('ends early rather than delete the events of very many sessions at once', async () => {
    const backend = await opened({ path: newPath(), durable: false })
    const unbounded = { maxEvents: 10_000, maxAgeMs: 1e9, maxBytes: 1e9 }
    const records = Array.from({ length: 6 }, () => newRecord())
    await Promise.all(records.map((record) => backend.create(record, call())))
    const events = records.flatMap(({ id }) =>
      Array.from({ length: 900 }, (_, index) => ({ id, key: `k${index}`, stream: 'a', data: 'x' })),
    )
    await Promise.all(events.map(({ id, ...event }) => backend.events?.append(id, event, unbounded, call())))
    const slices: number[] = []
    do slices.push(await backend.deleteExpired(100, call(epoch + 60_000)))
    while (slices.at(-1) !== 0)
    expect(slices).toEqual([3, 3, 0])
  })
})

async function collected(backend: SessionBackend, query: ListQuery): Promise<string[]> {
  const ids: string[] = []
  let cursor: string | undefined
  do {
    const page = await backend.list(cursor === undefined ? query : { ...query, cursor }, call())
    ids.push(...page.records.map(({ id }) => id))
    cursor = page.cursor
  } while (cursor !== undefined)
  return ids
}

async function cursors(backend: SessionBackend, query: ListQuery): Promise<string[]> {
  const found: string[] = []
  let cursor: string | undefined
  do {
    cursor = (await backend.list(cursor === undefined ? query : { ...query, cursor }, call())).cursor
    if (cursor !== undefined) found.push(cursor)
  } while (cursor !== undefined)
  return found
}

/** What SQLite would do for every statement of the backend. */
function statementPlans(database: Database.Database): { sql: string; steps: string[] }[] {
  const texts: string[] = []
  const recording = {
    prepare(sql: string) {
      texts.push(sql)
      return database.prepare(sql)
    },
  }
  prepareStatements(recording as unknown as SqliteDatabase, 'mcp_session')
  return texts.map((sql) => {
    const names = Object.fromEntries([...sql.matchAll(/@(\w+)/g)].map(([, name]) => [name, 1]))
    const values = [...sql.matchAll(/\?/g)].map(() => 1)
    const steps = database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...(values.length > 0 ? values : [names])) as { detail: string }[]
    return { sql, steps: steps.map(({ detail }) => detail) }
  })
}
