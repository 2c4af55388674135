import { ClassicLevel } from 'classic-level'
import { describe, expect, it } from 'vitest'
import { leveldbBackend } from '../src/index.ts'
import { call, eventsOf, failure, lentLevel, newFolder, newRecord, opened } from './fixtures.ts'

describe('a lent database', () => {
  it('stays open, keeps no listeners, and holds the sessions when they are opened again', async () => {
    const db = await lentLevel()
    const before = db.eventNames().map((name) => [name, db.listenerCount(String(name))])
    const record = newRecord({ owner: 'o' })
    for (const isFirst of [true, false]) {
      const backend = leveldbBackend({ db })
      await backend.open()
      if (isFirst) await backend.create(record, call())
      expect(await backend.get(record.id, call())).toEqual(record)
      await backend.close()
    }
    expect(db.status).toBe('open')
    expect(db.eventNames().map((name) => [name, db.listenerCount(String(name))])).toEqual(before)
  })

  it('may have any encodings of its own', async () => {
    const db = new ClassicLevel<Uint8Array, unknown>(newFolder(), { keyEncoding: 'view', valueEncoding: 'json' })
    await db.open()
    const backend = await opened({ db })
    const record = newRecord({ data: 'Żółć 🙂', owner: 'Żółć' })
    await backend.create(record, call())
    expect(await backend.get(record.id, call())).toEqual(record)
    expect(await eventsOf(backend).append(record.id, { key: 'k', stream: 'Żółć', data: '🙂' }, unbounded, call())).toBe(1)
    expect((await backend.list({ limit: 10, owner: 'Żółć' }, call())).records).toEqual([record])
    await backend.close()
    await db.close()
  })

  it('in a sublevel leaves everything else in the database alone', async () => {
    const db = await lentLevel()
    await db.put('h-looks-like-ours', 'but is not')
    const backend = await opened({ db: db.sublevel('sessions') })
    const records = [newRecord(), newRecord({ expiresAt: epochEnd })]
    for (const record of records) await backend.create(record, call())
    expect((await backend.list({ limit: 10 }, call())).records).toHaveLength(2)
    expect(await backend.deleteExpired(10, call(epochEnd))).toBe(1)
    expect(await db.get('h-looks-like-ours')).toBe('but is not')
  })

  it('that holds something else is refused, and unchanged', async () => {
    const db = await lentLevel()
    await db.put('key', 'value')
    const error = await failure(leveldbBackend({ db }).open(), 'MCP_SESSION_SCHEMA')
    expect(error.message).toMatch(/sublevel/)
    expect(await db.keys().all()).toEqual(['key'])
  })

  it('says what was closed under it', async () => {
    const db = await lentLevel()
    const backend = await opened({ db })
    await db.close()
    const attempts = [backend.get('s_1', call()), backend.create(newRecord(), call()), backend.list({ limit: 1 }, call())]
    const errors = await Promise.all(attempts.map((attempt) => attempt.catch((reason: unknown) => reason)))
    for (const error of errors) {
      expect(backend.classify(error)).toMatchObject({ code: 'MCP_SESSION_UNAVAILABLE', outcome: 'none' })
    }
  })
})

it('options that cannot be meant are refused before anything is opened', async () => {
  const db = await lentLevel()
  const wrong: readonly [unknown, new (message: string) => Error][] = [
    [undefined, TypeError],
    [{}, TypeError],
    [{ path: '' }, RangeError],
    [{ path: 'a\0b' }, RangeError],
    [{ path: 7 }, TypeError],
    [{ path: 'a', db }, TypeError],
    [{ path: 'a', durable: 'yes' }, TypeError],
    [{ path: 'a', cacheBytes: -1 }, RangeError],
    [{ path: 'a', cacheBytes: '1' }, TypeError],
    [{ db: null }, TypeError],
    [{ db: new Map() }, TypeError],
  ]
  for (const [options, kind] of wrong) expect(() => leveldbBackend(options as { path: string })).toThrow(kind)
})

const epochEnd = 1_010_000
const unbounded = { maxEvents: Number.POSITIVE_INFINITY, maxAgeMs: Number.POSITIVE_INFINITY, maxBytes: Number.POSITIVE_INFINITY }
