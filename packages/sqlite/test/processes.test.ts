import type { SessionBackend } from '@mcp-session/core/backend'
import { describe, expect, it } from 'vitest'
import { startChild } from './child-process.ts'
import { anyRetention, call, newPath, newRecord, opened, rawDatabase } from './fixtures.ts'

describe('several processes on one file', () => {
  it('lose none of 4 × 1,000 increments', { timeout: 90_000 }, async () => {
    const path = newPath()
    const backend = await opened({ path })
    const record = newRecord({ data: '{"counter":0}' })
    await backend.create(record, call())
    const children = [startChild(), startChild(), startChild(), startChild()]
    await Promise.all(children.map((child) => child.run({ do: 'open', options: { path } })))
    const answers = await Promise.all(children.map((child) => child.run({ do: 'increment', id: record.id, times: 1_000 })))
    expect(answers.map(({ error }) => error)).toEqual([undefined, undefined, undefined, undefined])
    const after = await backend.get(record.id, call())
    expect(JSON.parse(after?.data ?? '{}')).toEqual({ counter: 4_000 })
  })

  it('cannot bring a deleted session back in 10,000 races, nor leave an event behind', { timeout: 120_000 }, async () => {
    const path = newPath()
    const backend = await opened({ path, durable: false })
    const child = startChild()
    await child.run({ do: 'open', options: { path, durable: false } })
    let won = 0
    for (let round = 0; round < 100; round += 1) {
      const records = Array.from({ length: 100 }, () => newRecord())
      await Promise.all(records.map((record) => backend.create(record, call())))
      const disturbed = child.run({ do: 'disturb', records })
      for (const { id } of records) {
        expect(await backend.delete(id, undefined, call())).toBe(true)
        expect(await backend.get(id, call())).toBeUndefined()
      }
      const answer = await disturbed
      expect(answer['error']).toBeUndefined()
      won += Number(answer['won'])
    }
    // Both orders happened: the child was not simply late every time.
    expect(won).toBeGreaterThan(0)
    expect(won).toBeLessThan(10_000)
    expect(rowCounts(path)).toEqual({ sessions: 0, events: 0, logs: 0, trims: 0 })
  })

  it('keep every acknowledged write when one of them is killed in the middle of writing', { timeout: 60_000 }, async () => {
    const path = newPath()
    const acknowledged = new Set<string>()
    for (let kill = 1; kill <= 3; kill += 1) {
      const child = startChild()
      await child.run({ do: 'open', options: { path } })
      child.run({ do: 'write', concurrency: 20 }).then(note, () => {})
      function note(answer: Readonly<Record<string, unknown>>): void {
        acknowledged.add(String(answer['acknowledged']))
      }
      while (acknowledged.size < kill * 150) note(await child.next())
      await child.kill()
    }
    const backend = await opened({ path })
    await Promise.all([...acknowledged].map((id) => expectWhole(backend, id)))
    expect(rawDatabase(path).pragma('integrity_check', { simple: true })).toBe('ok')
  })

  it('end by themselves once the backend is closed', async () => {
    const child = startChild()
    await child.run({ do: 'open', options: { path: newPath() } })
    await child.run({ do: 'subscribe', channel: 'c' })
    await child.run({ do: 'close' })
    expect(await child.end()).toBe(0)
  })

  it('end by themselves without closing, when only a subscription is left', async () => {
    const child = startChild()
    await child.run({ do: 'open', options: { path: newPath() } })
    await child.run({ do: 'subscribe', channel: 'c' })
    expect(await child.end()).toBe(0)
  })
})

async function expectWhole(backend: SessionBackend, id: string): Promise<void> {
  expect((await backend.get(id, call()))?.data).toBe(id)
  const page = await backend.events?.read(id, { after: 0, limit: 10, maxAgeMs: anyRetention.maxAgeMs }, call())
  expect(page?.events.map(({ data }) => data)).toEqual([id])
}

function rowCounts(path: string): unknown {
  const count = (table: string) => `(SELECT count(*) FROM ${table})`
  return rawDatabase(path)
    .prepare(
      `SELECT ${count('mcp_session')} AS sessions, ${count('mcp_session_event')} AS events,
        ${count('mcp_session_log')} AS logs, ${count('mcp_session_trim')} AS trims`,
    )
    .get()
}
