import { expect, it } from 'vitest'
import { call, engineOfFile, epoch, newRecord, newSchema, opened, sql, successor } from './fixtures.ts'

const server = engineOfFile()

it('writes of one session are carried out in order, however many others travel beside them', async () => {
  const backend = await opened({ url: server.url, schema: newSchema(server.url) })
  const records = Array.from({ length: 300 }, () => newRecord())
  expect(new Set(await Promise.all(records.map((record) => backend.create(record, call()))))).toEqual(new Set([true]))
  const [first, ...others] = records
  if (first === undefined) throw new Error('no record was made')
  let last = first
  const replaced: Promise<unknown>[] = []
  const touched: Promise<unknown>[] = []
  for (const [index, other] of others.entries()) {
    if (index % 15 === 0) {
      const next = successor(last)
      replaced.push(backend.replace(next, last.rev, call()))
      last = next
    }
    touched.push(backend.touch({ ...other, lastAccessedAt: other.lastAccessedAt + 1 }, call()))
  }
  for (const result of await Promise.all(replaced)) expect(result).toEqual({ replaced: true })
  for (const result of await Promise.all(touched)) expect(result).toBe('touched')
  expect(await backend.get(last.id, call())).toEqual(last)
})

it('writes of all kinds that meet each other on the same sessions, in any order, end without a deadlock', async () => {
  const { url } = server
  const schema = newSchema(url)
  // The engine looks for deadlocks before a flush gives up waiting for a lock.
  const poolOptions = { options: '-c deadlock_timeout=10ms', application_name: 'all kinds' }
  const nodes = await Promise.all([opened({ url, schema, poolOptions }), opened({ url, schema, poolOptions })])
  const before = await deadlocks(url)
  const records = Array.from({ length: 120 }, () => newRecord())
  for (let round = 1; round <= 60; round += 1) {
    const at = epoch + round
    await Promise.all(
      nodes.flatMap((node, index) =>
        shuffled(records).map((record) => {
          // Every other round only touches: they have no step before that takes the rows in order.
          const draw = round % 2 === 0 ? 0 : Math.random()
          if (draw < 0.4) return node.touch({ ...record, lastAccessedAt: at, expiresAt: at + 60_000 + index }, call(at))
          return draw < 0.7
            ? node.create({ ...record, expiresAt: draw < 0.5 ? at : record.expiresAt }, call(at))
            : node.delete(record.id, undefined, call(at))
        }),
      ),
    )
  }
  await Promise.all(nodes.map((node) => node.close()))
  // A connection tells its counts at its end at the latest.
  const left = () => sql(url, `SELECT count(*)::int FROM pg_stat_activity WHERE application_name = 'all kinds'`)
  await expect.poll(left, { timeout: 20_000 }).toEqual([[0]])
  expect(await deadlocks(url)).toEqual(before)
}, 120_000)

function shuffled<T>(values: readonly T[]): T[] {
  return values
    .map((value) => ({ value, place: Math.random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ value }) => value)
}

async function deadlocks(url: string): Promise<unknown> {
  return sql(url, 'SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()')
}
