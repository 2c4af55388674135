import { expect, it } from 'vitest'
import { call, epoch, keyOf, listed, opened, rawClient, sharedEngine, stored } from './fixtures.ts'

const engine = sharedEngine()
const tenants = ['a', 'ab', 'a*', 'a?', 'a[b]', 'a\\', 'a:', 'A', 'a[', 'a^', 'a%7B']

it('keeps tenants apart whose prefixes are patterns of one another', async () => {
  const { url } = await engine()
  const backends = await Promise.all(tenants.map((prefix) => opened({ url, prefix })))
  const own = await Promise.all(
    backends.map(async (backend, n) => {
      const records = [await stored(backend, { owner: 'alice', data: `of ${n}` }), await stored(backend, { id: 'same', data: `of ${n}` })]
      await stored(backend, { id: 'dead', ttlMs: 10 })
      return records
    }),
  )
  for (const [n, backend] of backends.entries()) {
    expect(new Set(await listed(backend, { now: epoch + 10 })), tenants[n]).toEqual(new Set(own[n]))
    expect(await listed(backend, { owner: 'alice' })).toEqual(own[n]?.slice(0, 1))
    expect(await backend.get('same', call())).toMatchObject({ data: `of ${n}` })
  }
  for (const [n, backend] of backends.entries()) {
    expect(await backend.deleteExpired(100, call(epoch + 10)), tenants[n]).toBe(1)
    expect(await backend.delete('same', undefined, call())).toBe(true)
    for (const [other, { get }] of backends.entries()) expect((await get('same', call())) !== undefined).toBe(other > n)
  }
})

it('keeps ids apart that hold braces, percent signs and what means something in patterns', async () => {
  const { url } = await engine()
  const backend = await opened({ url, prefix: 'ids' })
  const ids = ['{', '}', '{}', '{a}', '}a{', '%7B', '%', '%25', 'a{b}c', '*', '?', '[a]', '\\', '\\*', '}:log', 'a', 'a}:seq', '{a}:log']
  const records = await Promise.all(ids.map((id) => stored(backend, { id, data: `of ${id}` })))
  for (const record of records) expect(await backend.get(record.id, call())).toEqual(record)
  expect(new Set(await listed(backend, { limit: 3 }))).toEqual(new Set(records))
  for (const prefix of ['{', '}', '%', '%7', '*', '\\', 'a', '[']) {
    const { records: found } = await backend.list({ limit: 100, prefix }, call())
    expect(new Set(found.map(({ id }) => id)), prefix).toEqual(new Set(ids.filter((id) => id.startsWith(prefix))))
  }
})

it('leaves nothing of a deleted session but what ages by itself', async () => {
  const { url } = await engine()
  const client = rawClient(url)
  const backend = await opened({ url, prefix: 'gone' })
  const { id } = await stored(backend, { owner: 'alice' })
  await backend.events?.append(id, { key: 'k', stream: 'main', data: 'x' }, { maxEvents: 1, maxAgeMs: 1, maxBytes: 1 }, call())
  expect(await backend.delete(id, undefined, call())).toBe(true)
  expect(await client.exists(keyOf('gone', id), ...['log', 'seq', 'gone'].map((name) => `${keyOf('gone', id)}:${name}`))).toBe(0)
  for (const key of await client.keys('gone:*')) expect(key).toMatch(/:due$/)
})
