import { describe, expect, it } from 'vitest'
import { call, engineOfFile, failure, newRecord, newSchema, opened, rawClient, sql, successor } from './fixtures.ts'

const server = engineOfFile()

describe('a row that somebody else keeps locked', () => {
  it('is LOCKED at the deadline for those who want it, and holds up nobody else', async () => {
    const { url } = server
    const schema = newSchema(url)
    const backend = await opened({ url, schema })
    const held = newRecord()
    const others = Array.from({ length: 40 }, () => newRecord())
    for (const record of [held, ...others]) await backend.create(record, call())
    const stranger = await rawClient(url)
    await stranger.query('BEGIN')
    await stranger.query(`SELECT 1 FROM ${schema}.mcp_session WHERE id = $1 FOR UPDATE`, [held.id])

    const wanted = [
      failure(backend.replace(successor(held), held.rev, call(undefined, 1_500)), 'MCP_SESSION_LOCKED'),
      failure(backend.delete(held.id, undefined, call(undefined, 1_500)), 'MCP_SESSION_LOCKED'),
    ]
    const rounds = 10
    for (let round = 0; round < rounds; round += 1) {
      // All of these settle long before the deadline of those that wait.
      const answers = others.map((record) => {
        const touch = { id: record.id, rev: record.rev, lastAccessedAt: record.lastAccessedAt + round, expiresAt: record.expiresAt + round }
        return backend.touch(touch, call(undefined, 20_000))
      })
      expect(new Set(await Promise.all(answers))).toEqual(new Set(['touched']))
    }
    for (const error of await Promise.all(wanted)) expect([error.outcome, error.retryable]).toEqual(['none', true])
    expect(await backend.get(held.id, call())).toEqual(held)
    await stranger.query('ROLLBACK')
    const next = successor(held)
    expect(await backend.replace(next, held.rev, call())).toEqual({ replaced: true })
    expect(await backend.get(held.id, call())).toEqual(next)
  }, 60_000)

  it('is written as soon as it is free again', async () => {
    const { url } = server
    const schema = newSchema(url)
    const backend = await opened({ url, schema })
    const record = newRecord()
    await backend.create(record, call())
    const stranger = await rawClient(url)
    await stranger.query('BEGIN')
    await stranger.query(`SELECT 1 FROM ${schema}.mcp_session FOR UPDATE`)
    const deleting = backend.delete(record.id, record.rev, call())
    const waiting = () => sql(url, `SELECT count(*)::int FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%${schema}%'`)
    await expect.poll(waiting, { timeout: 10_000, interval: 5 }).toEqual([[1]])
    await stranger.query('COMMIT')
    expect(await deleting).toBe(true)
  }, 60_000)

  it('is stepped over by a sweep, and keeps an append waiting no longer than its deadline', async () => {
    const { url } = server
    const schema = newSchema(url)
    const backend = await opened({ url, schema })
    const [held, free] = [newRecord(), newRecord()]
    await backend.create(held, call())
    await backend.create(free, call())
    const stranger = await rawClient(url)
    await stranger.query('BEGIN')
    await stranger.query(`SELECT 1 FROM ${schema}.mcp_session WHERE id = $1 FOR UPDATE`, [held.id])
    const event = { key: 'k', stream: 'a', data: 'x' }
    const bounds = { maxEvents: 10, maxAgeMs: 10, maxBytes: 10 }
    const waiting = failure(
      backend.events?.append(held.id, event, bounds, call(undefined, 1_500)) ?? Promise.resolve(),
      'MCP_SESSION_LOCKED',
    )
    expect(await backend.events?.append(free.id, event, bounds, call())).toBe(1)
    await waiting
    expect(await backend.deleteExpired(10, call(held.expiresAt))).toBe(1)
    await stranger.query('ROLLBACK')
    expect(await backend.deleteExpired(10, call(held.expiresAt))).toBe(1)
    expect(await sql(url, `SELECT count(*)::int FROM ${schema}.mcp_session_event`)).toEqual([[0]])
  }, 60_000)
})
