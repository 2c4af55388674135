import { describe, expect, it } from 'vitest'
import { anyRetention, call, engineOfFile, epoch, newRecord, newSchema, opened, sql } from './fixtures.ts'

const server = engineOfFile()
const yearMs = 365 * 86_400_000

describe('a sweep', () => {
  it('deletes nothing live when the clock of a node is a year ahead, or five seconds', async () => {
    const { url } = server
    const backend = await opened({ url, schema: newSchema(url) })
    const { engineNow = 0 } = await backend.health(call())
    const live = newRecord({ createdAt: engineNow, lastAccessedAt: engineNow, ttlMs: 4_000, expiresAt: engineNow + 60_000 })
    const dead = newRecord({ expiresAt: engineNow - 1 })
    await backend.create(live, call(engineNow))
    await backend.create(dead, call(engineNow - 10))
    expect(await backend.deleteExpired(100, call(engineNow + yearMs))).toBe(1)
    expect(await backend.deleteExpired(100, call(engineNow + 5_000))).toBe(0)
    expect(await backend.get(live.id, call(engineNow))).toEqual(live)
  })

  it('leaves alone what was touched or replaced since it was filed, and finds it at its new end', async () => {
    const { url } = server
    const schema = newSchema(url)
    const backend = await opened({ url, schema })
    const touched = Array.from({ length: 300 }, () => newRecord())
    await Promise.all(touched.map((record) => backend.create(record, call())))
    const later = { lastAccessedAt: epoch + 1, expiresAt: epoch + 120_000 }
    for (const { id, rev } of touched) await backend.touch({ id, rev, ...later }, call())
    const dead = newRecord({ expiresAt: epoch + 60_001 })
    await backend.create(dead, call())
    expect(await sql(url, `SELECT count(*)::int FROM ${schema}.mcp_session WHERE sweep_at < expires_at`)).toEqual([[300]])
    expect(await backend.deleteExpired(10, call(epoch + 60_001))).toBe(1)
    expect(await backend.deleteExpired(10, call(epoch + 60_001))).toBe(0)
    expect(await sql(url, `SELECT count(*)::int FROM ${schema}.mcp_session WHERE sweep_at = expires_at`)).toEqual([[300]])
    expect(await backend.deleteExpired(299, call(epoch + 120_000))).toBe(299)
    expect(await backend.deleteExpired(299, call(epoch + 120_000))).toBe(1)
  })

  it('deletes fewer sessions at a time when they have very many events', async () => {
    const { url } = server
    const schema = newSchema(url)
    const backend = await opened({ url, schema })
    const records = Array.from({ length: 3 }, (_, n) => newRecord({ expiresAt: epoch + 60_000 + n }))
    for (const record of records) {
      await backend.create(record, call())
      const events = Array.from({ length: 1_100 }, (_, n) => ({ key: `k${n}`, stream: n % 2 === 0 ? '!x' : 'a', data: 'x' }))
      await Promise.all(events.map((event) => backend.events?.append(record.id, event, anyRetention, call())))
    }
    const at = call(epoch + 100_000)
    expect([await backend.deleteExpired(10, at), await backend.deleteExpired(10, at), await backend.deleteExpired(10, at)]).toEqual([
      2, 1, 0,
    ])
    for (const table of ['mcp_session', 'mcp_session_event', 'mcp_session_log', 'mcp_session_trim']) {
      expect(await sql(url, `SELECT count(*)::int FROM ${schema}.${table}`), table).toEqual([[0]])
    }
  }, 60_000)

  it('touches are HOT updates: they write no index', async () => {
    const { url } = server
    const schema = newSchema(url)
    const backend = await opened({ url, schema })
    const record = newRecord({ owner: 'alice' })
    await backend.create(record, call())
    for (let n = 1; n <= 50; n += 1) {
      await backend.touch(
        { id: record.id, rev: record.rev, lastAccessedAt: epoch + n * 1_000, expiresAt: record.expiresAt + n * 1_000 },
        call(),
      )
    }
    await sql(url, 'SELECT pg_stat_force_next_flush()')
    const counted = `SELECT n_tup_upd - n_tup_hot_upd FROM pg_stat_all_tables WHERE schemaname = '${schema}' AND relname = 'mcp_session'`
    // The backend's own connection reports its counts when it is next idle, or at its end.
    await backend.close()
    await expect
      .poll(() => sql(url, `SELECT n_tup_upd::int FROM pg_stat_all_tables WHERE schemaname = '${schema}' AND relname = 'mcp_session'`), {
        timeout: 10_000,
      })
      .toEqual([[50]])
    expect(await sql(url, counted)).toEqual([['0']])
  })
})
