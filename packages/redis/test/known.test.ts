import type { SessionRecord } from '@mcp-session/core/backend'
import { startRedisCluster } from '@mcp-session/test-engines'
import { expect, it, onTestFinished } from 'vitest'
import { call, epoch, keyOf, newRecord, opened, rawClient, sharedEngine, stored, successor } from './fixtures.ts'
import { newPrefix } from './prefixes.ts'

const engine = sharedEngine({ appendonly: 'no' })
/** Bytes of a header before the rev that are looked at where the rev is known; then the rev itself. */
const lookedAt = 104
const revAt = 112
/** The digits of both instants. */
const instants = [
  [2, 18],
  [26, 42],
] as const

async function store() {
  const { url } = await engine()
  const prefix = newPrefix()
  return { backend: await opened({ url, prefix }), client: rawClient(url), key: (id: string) => keyOf(prefix, id) }
}

it('answers with the very record that is known while nothing has changed, and with new instants after a touch', async () => {
  const { backend } = await store()
  const record = await stored(backend, { owner: 'alice' })
  expect(await backend.get(record.id, call(), record)).toBe(record)
  const touch = { id: record.id, rev: record.rev, lastAccessedAt: epoch + 5, expiresAt: record.expiresAt + 5 }
  await backend.touch(touch, call())
  expect(await backend.get(record.id, call(), record)).toEqual({ ...record, lastAccessedAt: epoch + 5, expiresAt: record.expiresAt + 5 })
})

it('does not transfer the data of a session whose rev is known', async () => {
  const { backend, client } = await store()
  const records = await Promise.all(Array.from({ length: 50 }, () => stored(backend, { data: 'x'.repeat(100_000) })))
  const before = await bytesSent(client)
  await Promise.all(records.map((record) => backend.get(record.id, call(), record)))
  expect((await bytesSent(client)) - before).toBeLessThan(50_000)
})

it('gives CORRUPT for every flipped bit of an instant under a rev that is known, and another value for none', async () => {
  const { backend, client, key } = await store()
  for (const owner of [null, 'alice \u{1F511}']) {
    const record = await stored(backend, { owner, prevRev: 'before', mustEndAt: epoch + 9_000_000, data: 'D' })
    const value = await client.getBuffer(key(record.id))
    if (value === null) throw new Error('nothing was stored')
    const earlier = { ...record, lastAccessedAt: record.lastAccessedAt - 1 }
    for (let bit = 0; bit < value.length * 8; bit += 1) {
      const byte = bit >> 3
      const changed = Buffer.from(value)
      changed[byte] = (changed[byte] ?? 0) ^ (1 << (bit & 7))
      await client.set(key(record.id), changed)
      const read = (known: SessionRecord) => backend.get(record.id, call(), known).catch((error: unknown) => error)
      const name = `byte ${byte}, bit ${bit & 7}`
      const isRev = byte >= revAt && byte <= revAt + record.rev.length
      // Whoever knows the instants, too, learns nothing that could be wrong.
      const isNew = byte < 2 || instants.some(([from, to]) => byte >= from && byte < to) || (changed[byte] ?? 0) > 127
      const outcome = await read(record)
      if (isRev || (isNew && byte < lookedAt)) expect(outcome, name).toMatchObject({ code: 'MCP_SESSION_CORRUPT' })
      else expect(outcome, name).toBe(record)
      if (isRev || byte < lookedAt) expect(await read(earlier), name).toMatchObject({ code: 'MCP_SESSION_CORRUPT' })
      else expect(await read(earlier), name).toEqual(record)
    }
  }
}, 60_000)

it('does not take the instants of another session for those of one whose rev is known', async () => {
  const { backend, client, key } = await store()
  const [one, two] = [await stored(backend), await stored(backend)]
  await client.copy(key(one.id), key(two.id), 'REPLACE')
  await expect(backend.get(two.id, call(), { ...two, rev: one.rev, lastAccessedAt: two.lastAccessedAt - 1 })).rejects.toMatchObject({
    code: 'MCP_SESSION_CORRUPT',
  })
})

it('answers reads that travel together each by what it knows', async () => {
  const { backend, client, key } = await store()
  const one = (n: number) => stored(backend, { data: `Ł${n}`, owner: n % 2 ? 'alice' : null })
  const [replaced, touched, foreign, hot] = await Promise.all([one(0), one(1), one(2), one(3)])
  const others = await Promise.all([4, 5, 6, 7, 8].map(one))
  const next = successor(replaced)
  await backend.replace(next, replaced.rev, call())
  await backend.touch({ ...touched, lastAccessedAt: epoch + 9 }, call())
  await client.del(key(foreign.id))
  await client.hset(key(foreign.id), 'a', 'b')
  const missing = newRecord()
  const asked: [id: string, known: SessionRecord | undefined, expected: SessionRecord | undefined][] = [
    [replaced.id, next, next],
    [replaced.id, replaced, next],
    [replaced.id, undefined, next],
    [touched.id, touched, { ...touched, lastAccessedAt: epoch + 9 }],
    [touched.id, { ...touched, lastAccessedAt: epoch + 9 }, { ...touched, lastAccessedAt: epoch + 9 }],
    [foreign.id, foreign, undefined],
    [missing.id, missing, undefined],
    [hot.id, hot, hot],
    [hot.id, undefined, hot],
    ...others.map((record): [string, SessionRecord, SessionRecord] => [record.id, record, record]),
  ]
  expect(await Promise.all(asked.map(([id, known]) => backend.get(id, call(), known)))).toEqual(asked.map(([, , expected]) => expected))
})

it('gives CORRUPT for damage that reads as fewer characters, and serves the neighbours that travel along', async () => {
  const { backend, client, key } = await store()
  const records = await Promise.all(Array.from({ length: 9 }, () => stored(backend)))
  const damaged = records[4]
  await client.setrange(key(damaged?.id ?? ''), 60, 'Ł')
  const outcomes = await Promise.all(records.map((record) => backend.get(record.id, call(), record).catch((error: unknown) => error)))
  for (const [n, outcome] of outcomes.entries()) {
    if (records[n] === damaged) expect(outcome).toMatchObject({ code: 'MCP_SESSION_CORRUPT' })
    else expect(outcome).toBe(records[n])
  }
})

it('keeps a reply within bounds, and gives all of many large values that have changed', async () => {
  const { backend } = await store()
  const data = 'x'.repeat(2_000_000)
  const records = await Promise.all(Array.from({ length: 20 }, () => stored(backend, { data })))
  const found = await Promise.all(records.map((record) => backend.get(record.id, call(), { ...record, rev: 'older', data: '' })))
  expect(found.map((record) => record?.data.length)).toEqual(records.map(() => data.length))
  expect(found.map((record) => record?.id)).toEqual(records.map(({ id }) => id))
}, 30_000)

it('does the same on a cluster', async () => {
  const cluster = await startRedisCluster()
  onTestFinished(() => cluster.close())
  const nodes = cluster.nodes.map(({ port }) => ({ host: '127.0.0.1', port }))
  const prefix = newPrefix()
  const backend = await opened({ nodes, prefix })
  const records = await Promise.all(Array.from({ length: 30 }, () => stored(backend, { data: 'Ł' })))
  expect(await Promise.all(records.map((record) => backend.get(record.id, call(), record)))).toEqual(records)
  const [first] = records
  if (first === undefined) throw new Error('nothing was stored')
  const next = successor(first)
  await backend.replace(next, first.rev, call())
  expect(await backend.get(first.id, call(), first)).toEqual(next)
  await backend.delete(first.id, undefined, call())
  expect(await backend.get(first.id, call(), next)).toBeUndefined()
}, 60_000)

async function bytesSent(client: ReturnType<typeof rawClient>): Promise<number> {
  return Number(/total_net_output_bytes:(\d+)/.exec(await client.info('stats'))?.[1])
}
