import type { SessionBackend } from '@mcp-session/core/backend'
import { describe, expect, it } from 'vitest'
import { startChild } from './child-process.ts'
import { anyRetention, call, newPath, opened, openedSessions, rawDatabase } from './fixtures.ts'

describe('several processes on one file', () => {
  it('lose none of 4 × 1,000 updates', { timeout: 180_000 }, async () => {
    const path = newPath()
    const sessions = await openedSessions({ path })
    const { id } = await sessions.create({ counter: 0 })
    const children = [startChild(), startChild(), startChild(), startChild()]
    // The barrier: all four are open before any of them begins.
    await Promise.all(children.map((child) => child.run({ do: 'open sessions', options: { path } })))
    const answers = await Promise.all(children.map((child) => child.run({ do: 'increment', id, times: 1_000 })))
    expect(answers.map(({ error }) => error)).toEqual([undefined, undefined, undefined, undefined])
    expect((await sessions.retrieve(id))?.metadata).toEqual({ counter: 4_000 })
    // They did meet: a run without a single lost race would prove nothing.
    expect(Math.max(...answers.map(({ conflicts }) => Number(conflicts)))).toBeGreaterThan(0)
  })

  it('cannot bring a deleted session back in 10,000 races, nor leave an event behind', { timeout: 240_000 }, async () => {
    const path = newPath()
    const sessions = await openedSessions({ path, durable: false })
    const child = startChild()
    await child.run({ do: 'open sessions', options: { path, durable: false } })
    let won = 0
    for (let round = 0; round < 100; round += 1) {
      const created = await Promise.all(Array.from({ length: 100 }, () => sessions.create({ counter: 0 })))
      const ids = created.map(({ id }) => id)
      const disturbed = child.run({ do: 'disturb', ids })
      for (const id of ids) {
        expect(await sessions.delete(id)).toBe(true)
        expect(await sessions.retrieve(id)).toBeUndefined()
      }
      const answer = await disturbed
      expect(answer['error']).toBeUndefined()
      won += Number(answer['won'])
    }
    // Both orders happened: the child was neither late nor early every time.
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
