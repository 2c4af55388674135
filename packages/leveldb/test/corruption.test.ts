import type { SessionBackend } from '@mcp-session/core/backend'
import type { ClassicLevel } from 'classic-level'
import { describe, expect, it } from 'vitest'
import { leveldbBackend } from '../src/index.ts'
import { anyRetention, around, call, eventsOf, failure, lentLevel, newFolder, newRecord, opened } from './fixtures.ts'

const encodings = { keyEncoding: 'utf8', valueEncoding: 'buffer' } as const

/** Every value under the key with one bit of one byte changed, one after the other; afterwards it is whole again. */
async function* flips(db: ClassicLevel, key: string): AsyncGenerator<number> {
  const value = await db.get<string, Buffer>(key, encodings)
  if (value === undefined) throw new Error(`nothing under ${key}`)
  for (let index = 0; index < value.length; index += 1) {
    const flipped = Buffer.from(value)
    flipped[index] = (flipped[index] ?? 0) ^ (1 << (index % 8))
    await db.put<string, Buffer>(key, flipped, encodings)
    yield index
  }
  await db.put<string, Buffer>(key, value, encodings)
}

async function uncached(): Promise<{ db: ClassicLevel; backend: SessionBackend }> {
  const db = await lentLevel()
  return { db, backend: await opened({ db, cacheBytes: 0 }) }
}

describe('a changed byte', () => {
  it('anywhere in a stored session gives CORRUPT and never another value', async () => {
    const { db, backend } = await uncached()
    const record = newRecord({ owner: 'Żółć', data: JSON.stringify({ text: 'Żółć 🙂', n: 17, end: 'x' }) })
    await backend.create(record, call())
    for (const key of [`h${record.id}`, `d${record.id}`]) {
      let flipped = 0
      for await (const _index of flips(db, key)) {
        await failure(backend.get(record.id, call()), 'MCP_SESSION_CORRUPT')
        flipped += 1
      }
      expect(flipped).toBeGreaterThan(20)
    }
    expect(await backend.get(record.id, call())).toEqual(record)
  })

  it('in a stored session stops every write that has to look at it, names it in a listing, and lets it be deleted', async () => {
    const { db, backend } = await uncached()
    const [record, other] = [newRecord({ owner: 'o' }), newRecord({ owner: 'o' })]
    for (const each of [record, other]) await backend.create(each, call())
    for await (const index of flips(db, `h${record.id}`)) {
      if (index % 16 !== 0) continue
      await failure(backend.create(record, call()), 'MCP_SESSION_CORRUPT')
      await failure(backend.replace({ ...record, rev: 'x' }, record.rev, call()), 'MCP_SESSION_CORRUPT')
      await failure(backend.touch({ ...record, lastAccessedAt: 2_000_000, expiresAt: 2_000_000 }, call()), 'MCP_SESSION_CORRUPT')
      await failure(eventsOf(backend).append(record.id, { key: 'k', stream: 'a', data: 'x' }, anyRetention, call()), 'MCP_SESSION_CORRUPT')
      for (const query of [{ limit: 10 }, { limit: 10, data: false }, { limit: 10, owner: 'o' }]) {
        const { records } = await backend.list(query, call())
        expect(records.map(({ id }) => id)).toEqual([record.id, other.id])
        expect(records[0]?.expiresAt).toBeNaN()
      }
      expect(await backend.deleteExpired(10, call(1_000_001))).toBe(0)
    }
    for await (const index of flips(db, `h${record.id}`)) {
      if (index === 0) expect(await backend.delete(record.id, undefined, call())).toBe(true)
      if (index === 0) break
    }
    expect((await backend.list({ limit: 10, owner: 'o' }, call())).records).toEqual([other])
    expect(await backend.create(record, call())).toBe(true)
  })

  it('anywhere in a stored event makes it one that is gone, and says so', async () => {
    const { db, backend } = await uncached()
    const events = eventsOf(backend)
    const record = newRecord()
    await backend.create(record, call())
    for (const key of ['k1', 'k2', 'k3']) await events.append(record.id, { key, stream: 'a', data: `Żółć ${key}` }, anyRetention, call())
    const keys = await db.keys({ gte: 'e', lt: 'f' }).all()
    expect(keys).toHaveLength(3)
    for await (const _index of flips(db, keys[1] ?? '')) {
      const page = await events.read(record.id, { streams: ['a'], after: 0, limit: 10, maxAgeMs: Number.POSITIVE_INFINITY }, call())
      expect(page).toMatchObject({ events: [{ key: 'k1' }, { key: 'k3' }], last: 3, trimmed: true })
    }
    const query = { after: 0, limit: 10, maxAgeMs: Number.POSITIVE_INFINITY }
    expect(await events.read(record.id, query, call())).toMatchObject({ events: [{}, { data: 'Żółć k2' }, {}], trimmed: false })
  })

  it('in a damaged event does not stop trimming', async () => {
    const { db, backend } = await uncached()
    const events = eventsOf(backend)
    const record = newRecord()
    await backend.create(record, call())
    const keep = { ...anyRetention, maxEvents: 3 }
    for (let n = 1; n <= 3; n += 1) await events.append(record.id, { key: `k${n}`, stream: 'a', data: 'x' }, keep, call())
    for await (const _index of flips(db, `e${record.id}\0${'1'.padStart(16, '0')}`)) break
    for (let n = 4; n <= 9; n += 1) await events.append(record.id, { key: `k${n}`, stream: 'a', data: 'x' }, keep, call())
    const page = await events.read(record.id, { after: 0, limit: 10, maxAgeMs: Number.POSITIVE_INFINITY }, call())
    expect(page?.events.map(({ sequence }) => sequence)).toEqual([7, 8, 9])
    expect(page?.trimmed).toBe(true)
  })

  it('in what a session knows of its events gives CORRUPT, so that no sequence repeats', async () => {
    const { db, backend } = await uncached()
    const events = eventsOf(backend)
    const record = newRecord()
    await backend.create(record, call())
    const event = { key: 'k', stream: 'a', data: 'x' }
    await events.append(record.id, event, anyRetention, call())
    for await (const _index of flips(db, `l${record.id}`)) {
      await failure(events.append(record.id, { ...event, key: 'other' }, anyRetention, call()), 'MCP_SESSION_CORRUPT')
      await failure(events.read(record.id, { after: 0, limit: 1, maxAgeMs: 1_000 }, call()), 'MCP_SESSION_CORRUPT')
    }
    for await (const _index of flips(db, `k${record.id}\0k`)) break
    expect(await events.append(record.id, event, anyRetention, call())).toBe(2)
  })

  it('in the mark of the layout refuses the store', async () => {
    const path = newFolder()
    await (await opened({ path })).close()
    await around(path, async (db) => {
      for await (const _index of flips(db, '!mcp-session')) break
    })
    await failure(leveldbBackend({ path }).open(), 'MCP_SESSION_CORRUPT')
  })
})

it('a value that stands under the key of another session is CORRUPT', async () => {
  const { db, backend } = await uncached()
  const [one, two] = [newRecord(), newRecord()]
  for (const record of [one, two]) await backend.create(record, call())
  await db.put(`h${two.id}`, (await db.get(`h${one.id}`)) ?? '')
  await failure(backend.get(two.id, call()), 'MCP_SESSION_CORRUPT')
})

it('data of an earlier rev under a later head is CORRUPT, as when LevelDB lost a newer block', async () => {
  const { db, backend } = await uncached()
  const record = newRecord({ data: '{"n":1}' })
  await backend.create(record, call())
  const older = (await db.get(`d${record.id}`)) ?? ''
  await backend.replace({ ...record, rev: 'next', prevRev: record.rev, data: '{"n":2}' }, record.rev, call())
  await db.put(`d${record.id}`, older)
  await failure(backend.get(record.id, call()), 'MCP_SESSION_CORRUPT')
})

it('a store of a newer layout is refused, and unchanged', async () => {
  const path = newFolder()
  await (await opened({ path })).close()
  const { seal } = await import('../src/sealed.ts')
  await around(path, (db) => db.put('!mcp-session', seal('!mcp-session', '2')))
  expect((await failure(leveldbBackend({ path }).open(), 'MCP_SESSION_SCHEMA')).message).toMatch(/upgrade/)
})
