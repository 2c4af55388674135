import { startPostgres } from '@mcp-session/test-engines'
import { describe, expect, it, onTestFinished } from 'vitest'
import { call, engineOfFile, newRecord, newSchema, opened, rejection, sql } from './fixtures.ts'

// Nobody of that name ever confirms anything: a commit that waits for its confirmation waits for ever.
const server = engineOfFile(() => startPostgres({ config: { autovacuum: 'off', full_page_writes: 'off' } }))

describe('info.durability', () => {
  it('is what the engine and the options come to', async () => {
    const { url } = server
    const durability = async (options: object, settings = '') =>
      (await opened({ url, schema: newSchema(url), ...options, poolOptions: { options: settings } })).info.durability
    expect(await durability({})).toBe('engine')
    expect(await durability({ table: 'unlogged' })).toBe('caller')
    expect(await durability({ synchronousCommit: 'off' })).toBe('caller')
    expect(await durability({}, '-c synchronous_commit=off')).toBe('caller')
    const safe = await startPostgres()
    onTestFinished(() => safe.close())
    expect((await opened({ url: safe.url })).info.durability).toBe('host')
  }, 60_000)

  it('with synchronousCommit off is a commit that nobody waits for, and otherwise one that is waited for', async () => {
    const { url } = server
    const patient = await opened({ url, schema: newSchema(url) })
    const relaxed = await opened({ url, schema: newSchema(url), synchronousCommit: 'off' })
    await sql(url, `ALTER SYSTEM SET synchronous_standby_names = 'nobody'`)
    await sql(url, 'SELECT pg_reload_conf()')
    onTestFinished(async () => {
      await sql(url, 'ALTER SYSTEM RESET synchronous_standby_names')
      await sql(url, 'SELECT pg_reload_conf()')
    })
    const waiting = () =>
      rejection(patient.create(newRecord(), call(undefined, 300))).then(
        (error) => patient.classify(error)?.outcome,
        () => 'answered',
      )
    await expect.poll(waiting, { timeout: 20_000 }).toBe('unknown')
    const record = newRecord()
    expect(await relaxed.create(record, call())).toBe(true)
    expect(
      await relaxed.touch(
        { id: record.id, rev: record.rev, lastAccessedAt: record.lastAccessedAt + 1, expiresAt: record.expiresAt },
        call(),
      ),
    ).toBe('touched')
    expect(
      await relaxed.events?.append(record.id, { key: 'k', stream: 'a', data: '' }, { maxEvents: 1, maxAgeMs: 1, maxBytes: 1 }, call()),
    ).toBe(1)
    expect(await relaxed.deleteExpired(1, call(record.expiresAt))).toBe(1)
  }, 60_000)
})

describe('health', () => {
  it('warns of settings that lose data or let tables grow, and tells the time of the engine', async () => {
    const { url } = server
    const backend = await opened({ url, schema: newSchema(url), table: 'unlogged', poolOptions: { options: '-c synchronous_commit=off' } })
    const { warnings, engineNow } = await backend.health(call())
    expect(warnings.map(({ code }) => code).sort()).toEqual([
      'postgres-autovacuum-off',
      'postgres-full-page-writes-off',
      'postgres-synchronous-commit-off',
      'postgres-unlogged',
    ])
    expect(Number.isSafeInteger(engineNow)).toBe(true)
    const [[seconds]] = (await sql(url, 'SELECT extract(epoch FROM clock_timestamp())::float8')) as [[number]]
    expect(engineNow).toBeLessThanOrEqual(seconds * 1_000)
  })
})

describe('what the engine refuses', () => {
  it('is typed as it is thrown', async () => {
    const { url } = server
    const schema = newSchema(url)
    const backend = await opened({ url, schema })
    await sql(url, `ALTER ROLE CURRENT_USER IN DATABASE postgres SET statement_timeout = 0`)
    await sql(url, `DROP TABLE ${schema}.mcp_session CASCADE`)
    const broken = [() => backend.get('s_x', call()), () => backend.create(newRecord(), call()), () => backend.list({ limit: 1 }, call())]
    for (const ask of broken) {
      const error = await rejection(ask())
      expect(error).toMatchObject({ code: '42P01' })
      expect(backend.classify(error)).toEqual({ code: 'MCP_SESSION_SCHEMA', retryable: false, outcome: 'none' })
    }
  })
})
