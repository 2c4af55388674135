import { expect, it } from 'vitest'
import { digestOf, dueBucketOf, keysOf } from '../src/keys.ts'
import { call, epoch, listed, newRecord, opened, rawClient, sharedEngine, stored, successor } from './fixtures.ts'
import { newPrefix } from './prefixes.ts'

const engine = sharedEngine({ appendonly: 'no' })
const hour = 3_600_000

async function store() {
  const { url } = await engine()
  const prefix = newPrefix()
  const keys = keysOf(prefix)
  const [byHash, until] = keys.owner(digestOf('alice'))
  return { backend: await opened({ url, prefix }), client: rawClient(url), keys, byHash, until }
}

it('drops a deleted session from the index of its owner, by itself', async () => {
  const { backend, client, byHash, until } = await store()
  const records = await Promise.all([1, 2, 3].map(() => stored(backend, { owner: 'alice', ttlMs: Number.POSITIVE_INFINITY })))
  expect(await client.zcard(byHash)).toBe(3)
  for (const { id } of records) await backend.delete(id, undefined, call())
  await backend.close()
  await backend.open()
  expect(await client.exists(byHash, until)).toBe(0)
})

it('keeps what was created again while its deletion was on its way through the index', async () => {
  const { backend } = await store()
  for (let round = 0; round < 60; round += 1) {
    const { id } = await stored(backend, { id: `s_${round}`, owner: 'alice' })
    const deleted = backend.delete(id, undefined, call())
    const created = backend.create(newRecord({ id, owner: 'alice' }), call())
    await Promise.all([deleted, created])
    if (!(await created)) await backend.create(newRecord({ id, owner: 'alice' }), call())
  }
  await backend.close()
  await backend.open()
  expect((await listed(backend, { owner: 'alice' })).length).toBe(60)
})

it('keeps the index of an owner as long as the longest session, and an hour more', async () => {
  const { backend, client, byHash, until } = await store()
  await stored(backend, { owner: 'alice', ttlMs: 10 })
  const now = Date.now()
  await stored(backend, { owner: 'alice', createdAt: now, lastAccessedAt: now, ttlMs: 5 * hour })
  for (const key of [byHash, until]) {
    const left = await client.pttl(key)
    expect(left).toBeGreaterThan(5.9 * hour)
    expect(left).toBeLessThanOrEqual(6 * hour)
  }
  await stored(backend, { owner: 'alice', ttlMs: Number.POSITIVE_INFINITY })
  for (const key of [byHash, until]) expect(await client.pttl(key)).toBe(-1)
})

it('does not grow for ever: what is dead for an hour goes as new sessions come', async () => {
  const { backend, client, byHash, until } = await store()
  const records = await Promise.all(Array.from({ length: 40 }, () => stored(backend, { owner: 'alice' })))
  // As if all had been armed two hours ago, and have expired since.
  for (const { id } of records) await client.zadd(until, Date.now() - hour, id)
  for (let n = 0; n < 4; n += 1) await stored(backend, { owner: 'alice' })
  expect(await client.zcard(byHash)).toBe(4)
  expect(await client.zcard(until)).toBe(4)
})

it('arms a session again before a touch or a replace lets it live longer than its index entry', async () => {
  const { backend, client, until } = await store()
  const now = Date.now()
  const record = await stored(backend, { owner: 'alice', createdAt: now, lastAccessedAt: now, ttlMs: hour })
  const first = Number(await client.zscore(until, record.id))
  const touch = { id: record.id, rev: record.rev, lastAccessedAt: now + 1, expiresAt: now + 30 * hour }
  expect(await backend.touch(touch, call(now))).toBe('touched')
  const second = Number(await client.zscore(until, record.id))
  expect(second).toBeGreaterThanOrEqual(touch.expiresAt + hour)
  const next = successor(record, { lastAccessedAt: now + 2, ttlMs: 90 * hour })
  expect(await backend.replace(next, record.rev, call(now))).toEqual({ replaced: true })
  expect(Number(await client.zscore(until, record.id))).toBeGreaterThanOrEqual(next.expiresAt + hour)
  expect(first).toBeLessThan(second)
  expect(await listed(backend, { owner: 'alice', now })).toEqual([next])
})

it('leaves the index alone while touches and replaces stay within it', async () => {
  const { backend, client, until } = await store()
  const now = Date.now()
  const record = await stored(backend, { owner: 'alice', createdAt: now, lastAccessedAt: now, ttlMs: hour })
  const armed = await client.zscore(until, record.id)
  await backend.touch({ ...record, lastAccessedAt: now + 1_000, expiresAt: record.expiresAt + 1_000 }, call(now))
  await backend.replace(successor(record, { lastAccessedAt: now + 2_000 }), record.rev, call(now))
  expect(await client.zscore(until, record.id)).toBe(armed)
})

it('finds in a sweep what expired behind many that were touched, and puts their entries right', async () => {
  const { backend, client, keys } = await store()
  const touched = await Promise.all(Array.from({ length: 50 }, () => stored(backend, { ttlMs: 1_000 })))
  for (const record of touched) await backend.touch({ ...record, lastAccessedAt: epoch + 900, expiresAt: epoch + 1_900 }, call(epoch + 900))
  const expired = await stored(backend, { ttlMs: 1_500 })
  expect(await backend.deleteExpired(5, call(epoch + 1_500))).toBe(1)
  expect(await client.exists(keys.record(expired.id))).toBe(0)
  const [one] = touched
  expect(await client.zscore(keys.due(dueBucketOf(one?.id ?? '')), one?.id ?? '')).toBe(String(epoch + 1_900))
})

it('drops entries that are two hours late, so that stores that nobody sweeps do not grow', async () => {
  const { backend, client, keys } = await store()
  const old = await Promise.all(Array.from({ length: 200 }, () => stored(backend, { ttlMs: 10 })))
  const later = call(epoch + 3 * hour)
  for (let n = 0; n < 200; n += 1) await backend.create(newRecord({ lastAccessedAt: later.now, createdAt: later.now }), later)
  for (const { id } of old) expect(await client.zscore(keys.due(dueBucketOf(id)), id)).toBeNull()
})

it('lets the server remove a record, its events and its log an hour after its end, by the earlier of both clocks', async () => {
  const { backend, client, keys } = await store()
  const { id } = await stored(backend, { ttlMs: 2 * hour })
  const bounds = { maxEvents: 1, maxAgeMs: hour, maxBytes: 1_000 }
  for (const key of ['a', 'b']) await backend.events?.append(id, { key, stream: key, data: 'x' }, bounds, call())
  const record = keys.record(id)
  for (const key of [record, `${record}:log`, `${record}:seq`, `${record}:gone`]) {
    const left = await client.pttl(key)
    expect(left, key).toBeGreaterThan(2.9 * hour)
    expect(left, key).toBeLessThanOrEqual(3 * hour)
  }
  const ahead = Date.now() + 365 * 24 * hour
  const wrong = newRecord({ createdAt: ahead, lastAccessedAt: ahead, ttlMs: hour })
  await backend.create(wrong, call(ahead))
  expect(await client.pttl(keys.record(wrong.id))).toBeGreaterThan(364 * 24 * hour)
})

it('deletes nothing that is live, and calls nothing dead, for a node whose clock is a year ahead', async () => {
  const { backend } = await store()
  const now = Date.now()
  const records = await Promise.all([1, 2, 3].map(() => stored(backend, { createdAt: now, lastAccessedAt: now, ttlMs: 24 * hour })))
  expect(await backend.deleteExpired(100, call(now + 365 * 24 * hour))).toBe(0)
  for (const record of records) expect(await backend.get(record.id, call(now))).toEqual(record)
})
