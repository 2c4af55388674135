import { describe, expect, it } from 'vitest'
import type { LevelDatabase } from '../src/index.ts'
import { call, epoch, eventsOf, lentLevel, newRecord, opened } from './fixtures.ts'

/** What passes between the backend and the real database. */
interface Counts {
  keysRead: number
  values: number
  batches: number
}

/** The database with its steps counted. */
function counted(db: LevelDatabase): { db: LevelDatabase; counts: Counts } {
  const counts: Counts = { keysRead: 0, values: 0, batches: 0 }
  async function* counting<T>(items: AsyncIterable<T>): AsyncGenerator<T> {
    for await (const item of items) {
      counts.keysRead += 1
      yield item
    }
  }
  const lent: LevelDatabase = {
    status: db.status,
    supports: db.supports,
    open: () => db.open(),
    close: () => db.close(),
    getSync(key, options) {
      counts.values += 1
      return db.getSync(key, options)
    },
    getMany: (keys, options) => db.getMany(keys, options),
    batch() {
      counts.batches += 1
      return db.batch()
    },
    keys: (range) => counting(db.keys(range)),
    iterator: (range) => counting(db.iterator(range)),
    snapshot: () => db.snapshot(),
  }
  return { db: lent, counts }
}

function zero(counts: Counts): void {
  Object.assign(counts, { keysRead: 0, values: 0, batches: 0 })
}

describe('the cost', () => {
  it('of a sweep is that of the expired, however many live', async () => {
    const { db, counts } = counted(await lentLevel())
    const backend = await opened({ db, cacheBytes: 0 })
    const live = Array.from({ length: 2_000 }, () => newRecord({ expiresAt: epoch + 60_000 }))
    const expiring = Array.from({ length: 20 }, () => newRecord({ expiresAt: epoch + 10 }))
    await Promise.all([...live, ...expiring].map((record) => backend.create(record, call())))
    zero(counts)
    expect(await backend.deleteExpired(1_000, call(epoch + 10))).toBe(20)
    // A key and a head of each expired one, and whether it has events.
    expect(counts.keysRead).toBeLessThanOrEqual(20)
    expect(counts.values).toBeLessThanOrEqual(3 * 20)
    zero(counts)
    expect(await backend.deleteExpired(1_000, call(epoch + 10))).toBe(0)
    expect(counts).toEqual({ keysRead: 0, values: 0, batches: 0 })
  })

  it('of sweeps does not grow with touches: a session is looked at once a window', async () => {
    const { db, counts } = counted(await lentLevel())
    const backend = await opened({ db, cacheBytes: 0 })
    const records = Array.from({ length: 50 }, () => newRecord())
    await Promise.all(records.map((record) => backend.create(record, call())))
    for (let at = 1_000; at <= 50_000; at += 10_000) {
      const moved = (id: string, rev: string) => ({ id, rev, lastAccessedAt: epoch + at, expiresAt: epoch + at + 60_000 })
      await Promise.all(records.map(({ id, rev }) => backend.touch(moved(id, rev), call())))
    }
    zero(counts)
    expect(await backend.deleteExpired(1_000, call(epoch + 60_000))).toBe(0)
    expect(counts.keysRead).toBeLessThanOrEqual(50)
    zero(counts)
    expect(await backend.deleteExpired(1_000, call(epoch + 60_000))).toBe(0)
    expect(counts.keysRead).toBe(0)
    expect(await backend.deleteExpired(1_000, call(epoch + 101_000))).toBe(50)
  })

  it('of a listing by owner is that of the sessions of this owner', async () => {
    const { db, counts } = counted(await lentLevel())
    const backend = await opened({ db })
    const others = Array.from({ length: 1_000 }, () => newRecord({ owner: 'others' }))
    const ours = Array.from({ length: 10 }, () => newRecord({ owner: 'ours' }))
    await Promise.all([...others, ...ours].map((record) => backend.create(record, call())))
    zero(counts)
    expect((await backend.list({ limit: 100, owner: 'ours' }, call())).records).toHaveLength(10)
    expect(counts.keysRead).toBe(10)
  })

  it('of calls that are pending together is one batch', async () => {
    const { db, counts } = counted(await lentLevel())
    const backend = await opened({ db })
    const record = newRecord()
    await backend.create(record, call())
    zero(counts)
    const event = (key: string) => ({ key, stream: 'a', data: 'x' })
    const unbounded = { maxEvents: 2, maxAgeMs: Number.POSITIVE_INFINITY, maxBytes: Number.POSITIVE_INFINITY }
    const appends = Array.from({ length: 40 }, (_, index) => eventsOf(backend).append(record.id, event(`k${index}`), unbounded, call()))
    const writes = Array.from({ length: 40 }, () => backend.create(newRecord(), call()))
    expect(await Promise.all(appends)).toEqual(Array.from({ length: 40 }, (_, index) => index + 1))
    await Promise.all(writes)
    expect(counts.batches).toBe(1)
    const page = await eventsOf(backend).read(record.id, { after: 0, limit: 10, maxAgeMs: Number.POSITIVE_INFINITY }, call())
    expect(page?.events.map(({ sequence }) => sequence)).toEqual([39, 40])
    expect(page?.trimmed).toBe(true)
  })

  it('of a touch is a head and not the data', async () => {
    const level = await lentLevel()
    const backend = await opened({ db: level })
    const record = newRecord({ data: 'x'.repeat(100_000) })
    await backend.create(record, call())
    const written: number[] = []
    level.on('write', (operations: { value?: string }[]) => written.push(...operations.map(({ value = '' }) => value.length)))
    await backend.touch({ id: record.id, rev: record.rev, lastAccessedAt: epoch + 1, expiresAt: epoch + 60_001 }, call())
    expect(written).toHaveLength(1)
    expect(written[0]).toBeLessThan(300)
  })
})
