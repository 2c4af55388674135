import { expect, it } from 'vitest'
import { call, epoch, keepAll, keyOf, listed, newRecord, opened, rawClient, sharedEngine, stored, successor } from './fixtures.ts'
import { newPrefix } from './prefixes.ts'

const engine = sharedEngine({ appendonly: 'no' })

async function store() {
  const { url } = await engine()
  const prefix = newPrefix()
  return { backend: await opened({ url, prefix }), client: rawClient(url), key: (id: string) => keyOf(prefix, id) }
}

it('gives CORRUPT, never another value, for every flipped bit of a header', async () => {
  const { backend, client, key } = await store()
  const record = await stored(backend, { owner: 'alice \u{1F511}', prevRev: 'before', mustEndAt: epoch + 9_000_000, data: 'D' })
  const value = await client.getBuffer(key(record.id))
  if (value === null) throw new Error('nothing was stored')
  const headBytes = value.length - 1
  let flipped = 0
  for (let bit = 0; bit < headBytes * 8; bit += 1) {
    const byte = bit >> 3
    const changed = Buffer.from(value)
    changed[byte] = (changed[byte] ?? 0) ^ (1 << (bit & 7))
    await client.set(key(record.id), changed)
    const outcome = await backend.get(record.id, call()).catch((error: unknown) => error)
    expect(outcome, `byte ${byte}, bit ${bit & 7}`).toMatchObject({ code: 'MCP_SESSION_CORRUPT' })
    flipped += 1
  }
  expect(flipped).toBe(headBytes * 8)
}, 60_000)

it('calls no damaged record dead: create, touch, replace and a sweep leave it, and delete removes it', async () => {
  const { backend, client, key } = await store()
  const record = await stored(backend, { ttlMs: 1_000 })
  await client.setrange(key(record.id), 26, '0'.repeat(16))
  const corrupt = { code: 'MCP_SESSION_CORRUPT' }
  await expect(backend.create(newRecord({ id: record.id }), call())).rejects.toMatchObject(corrupt)
  await expect(backend.touch({ ...record, lastAccessedAt: epoch + 1, expiresAt: epoch + 2_000 }, call())).rejects.toMatchObject(corrupt)
  await expect(backend.replace(successor(record), record.rev, call())).rejects.toMatchObject(corrupt)
  expect(await backend.deleteExpired(10, call(epoch + 5_000))).toBe(0)
  expect(await client.exists(key(record.id))).toBe(1)
  expect(await backend.delete(record.id, undefined, call())).toBe(true)
  expect(await backend.create(newRecord({ id: record.id }), call())).toBe(true)
})

it('lists a damaged record so that it can be named, and goes on', async () => {
  const { backend, client, key } = await store()
  const [damaged, ...whole] = await Promise.all([0, 1, 2, 3].map(() => stored(backend)))
  await client.setrange(key(damaged?.id ?? ''), 104, '!')
  const records = await listed(backend, { limit: 2 })
  expect(records.filter(({ expiresAt }) => Number.isNaN(expiresAt)).map(({ id }) => id)).toEqual([damaged?.id])
  expect(new Set(records.filter(({ expiresAt }) => !Number.isNaN(expiresAt)))).toEqual(new Set(whole))
})

it('does not take one session for another: a value under a foreign key is CORRUPT', async () => {
  const { backend, client, key } = await store()
  const [one, two] = [await stored(backend), await stored(backend)]
  await client.copy(key(one.id), key(two.id), 'REPLACE')
  await expect(backend.get(two.id, call())).rejects.toMatchObject({ code: 'MCP_SESSION_CORRUPT' })
})

it('names a key of another type, and neighbours that travel along are served', async () => {
  const { backend, client, key } = await store()
  const foreign = newRecord()
  await client.hset(key(foreign.id), 'a', 'b')
  const neighbours = Array.from({ length: 20 }, () => newRecord())
  const outcomes = await Promise.allSettled([foreign, ...neighbours].map((record) => backend.create(record, call())))
  const [first, ...others] = outcomes
  expect(first).toMatchObject({ status: 'rejected', reason: { message: expect.stringMatching(/^WRONGTYPE/) } })
  expect(first?.status === 'rejected' && backend.classify(first.reason)).toMatchObject({ code: 'MCP_SESSION_CORRUPT', outcome: 'none' })
  expect(others.every((outcome) => outcome.status === 'fulfilled' && outcome.value)).toBe(true)
  expect(await client.type(key(foreign.id))).toBe('hash')
})

it('names a session whose log has lost count', async () => {
  const { backend, client, key } = await store()
  const { id } = await stored(backend)
  const event = { key: 'a', stream: 's', data: 'a' }
  await backend.events?.append(id, event, keepAll, call())
  const page = { after: 0, limit: 9, maxAgeMs: Number.POSITIVE_INFINITY }
  for (const count of ['last', 'oldest', 'inner', 'count', 'bytes', 'cut']) {
    const stored = (await client.hget(`${key(id)}:log`, count)) ?? ''
    await client.hset(`${key(id)}:log`, count, '!')
    for (const ask of [
      () => backend.events?.read(id, page, call()),
      () => backend.events?.append(id, { ...event, key: 'b' }, keepAll, call()),
      () => backend.events?.restore(id, { events: [], last: 1, trimmed: false }, call()),
    ]) {
      await expect(ask()).rejects.toMatchObject({ code: 'MCP_SESSION_CORRUPT' })
    }
    await client.hset(`${key(id)}:log`, count, stored)
  }
  expect(await backend.events?.read(id, page, call())).toMatchObject({ events: [{ data: 'a' }], last: 1 })
})

it('skips a damaged event, and says that something is missing', async () => {
  const { backend, client, key } = await store()
  const { id } = await stored(backend)
  for (const name of ['a', 'b', 'c', 'd']) await backend.events?.append(id, { key: name, stream: 's', data: name }, keepAll, call())
  const read = () => backend.events?.read(id, { after: 0, limit: 9, maxAgeMs: Number.POSITIVE_INFINITY }, call())
  const seq = `${key(id)}:seq`
  const members = await client.zrange(seq, '0', '-1')
  for (const [n, member] of members.entries()) {
    for (let byte = 0; byte < member.length; byte += 1) {
      const damaged = Buffer.from(member)
      damaged[byte] = (damaged[byte] ?? 0) ^ 2
      await client.zrem(seq, member)
      await client.zadd(seq, `${n + 1}`, damaged)
      const page = await read()
      expect(page?.trimmed, `member ${n}, byte ${byte}`).toBe(true)
      expect(page?.events.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4].filter((sequence) => sequence !== n + 1))
      await client.zrem(seq, damaged)
      await client.zadd(seq, n + 1, member)
    }
    await client.zadd(seq, n + 5, member)
    expect(await read()).toMatchObject({ trimmed: true })
    await client.zadd(seq, n + 1, member)
  }
  expect(await read()).toMatchObject({ trimmed: false, events: [{}, {}, {}, {}] })
  await client.zadd(seq, 1, 'garbage')
  expect(await backend.events?.append(id, { key: 'e', stream: 's', data: 'e' }, { ...keepAll, maxEvents: 2 }, call())).toBe(5)
  expect((await read())?.events.map(({ sequence }) => sequence)).toEqual([4, 5])
}, 30_000)
