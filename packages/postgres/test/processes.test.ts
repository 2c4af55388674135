import { startPostgres } from '@mcp-session/test-engines'
import { describe, expect, it } from 'vitest'
import { startChild } from './child-process.ts'
import { call, engineOfFile, newRecord, newSchema, opened, openedSessions, sql } from './fixtures.ts'

// The engine looks for deadlocks long before a flush gives up a lock, so that none goes unseen.
const server = engineOfFile(() => startPostgres({ config: { deadlock_timeout: '10ms' } }))
/** Of two processes together. `OVERLAPPING_UPDATES=1000000` is the long form. */
const updates = Number(process.env['OVERLAPPING_UPDATES'] ?? 16_000)

describe('several processes', () => {
  it('lose none of 8 × 100 increments of one session', async () => {
    const { url } = server
    const schema = newSchema(url)
    const sessions = await openedSessions({ url, schema })
    const { id } = await sessions.create({ counter: 0 })
    const children = Array.from({ length: 8 }, startChild)
    // The barrier: all are open before any of them begins.
    await Promise.all(children.map((child) => child.run({ do: 'open', options: { url, schema } })))
    const answers = await Promise.all(children.map((child) => child.run({ do: 'increment', id, times: 100 })))
    expect((await sessions.retrieve(id))?.metadata).toEqual({ counter: 800 })
    // They did meet: a run without a single lost race would prove nothing.
    expect(Math.max(...answers.map(({ conflicts }) => Number(conflicts)))).toBeGreaterThan(0)
  }, 180_000)

  it(
    'write overlapping batches in any order, and the engine sees no deadlock',
    async () => {
      const { url } = server
      const schema = newSchema(url)
      const backend = await opened({ url, schema })
      const records = Array.from({ length: 200 }, () => newRecord())
      await Promise.all(records.map((record) => backend.create(record, call())))
      const children = [startChild(), startChild()]
      await Promise.all(children.map((child) => child.run({ do: 'open', options: { url, schema } })))
      const before = await deadlocks(url)
      const rounds = Math.ceil(updates / 2 / records.length)
      const answers = await Promise.all(children.map((child) => child.run({ do: 'batches', records, rounds })))
      const touched = rounds * records.length
      expect(answers).toEqual([{ touched }, { touched }])
      // A connection tells its counts at its end at the latest.
      await Promise.all(children.map((child) => child.run({ do: 'close' })))
      const left = () => sql(url, `SELECT count(*)::int FROM pg_stat_activity WHERE application_name = 'overlapping'`)
      await expect.poll(left, { timeout: 20_000 }).toEqual([[0]])
      expect(await deadlocks(url)).toEqual(before)
      for (const record of records) expect((await backend.get(record.id, call()))?.lastAccessedAt).toBe(record.lastAccessedAt + rounds)
    },
    180_000 + updates,
  )

  it('end by themselves once the store is closed', async () => {
    const { url } = server
    const child = startChild()
    await child.run({ do: 'open', options: { url, schema: newSchema(url) } })
    await child.run({ do: 'close' })
    expect(await child.end()).toBe(0)
  }, 60_000)

  it('end by themselves without closing, when only idle connections are left', async () => {
    const { url } = server
    const child = startChild()
    await child.run({ do: 'open', options: { url, schema: newSchema(url) } })
    expect(await child.end()).toBe(0)
  }, 60_000)
})

async function deadlocks(url: string): Promise<unknown> {
  return sql(url, 'SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()')
}
