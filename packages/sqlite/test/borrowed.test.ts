import Database from 'better-sqlite3'
import { describe, expect, it, onTestFinished } from 'vitest'
import { sqliteBackend } from '../src/index.ts'
import { anyRetention, call, failure, newPath, newRecord, opened, rawDatabase } from './fixtures.ts'

describe('a borrowed database', () => {
  it('is left open and unchanged', async () => {
    const database = rawDatabase(newPath(), { timeout: 1_234 })
    database.defaultSafeIntegers(true)
    database.pragma('journal_mode = WAL')
    // SQLite takes its default for synchronous in this mode when it first reads the file.
    database.exec('CREATE TABLE app (x)')
    const before = settings(database)
    const backend = sqliteBackend({ database })
    await backend.open()
    const record = newRecord()
    await backend.create(record, call())
    expect(await backend.get(record.id, call())).toEqual(record)
    await backend.replace({ ...record, rev: 'next', prevRev: record.rev }, record.rev, call())
    await backend.touch({ id: record.id, rev: 'next', lastAccessedAt: record.lastAccessedAt + 1, expiresAt: record.expiresAt + 1 }, call())
    await backend.events?.append(record.id, { key: 'k', stream: 'a', data: 'x' }, anyRetention, call())
    const page = await backend.events?.read(record.id, { after: 0, limit: 10, maxAgeMs: 1 }, call())
    expect(page?.events[0]?.sequence).toBe(1)
    await backend.signals?.subscribe('c', () => {})
    await backend.list({ limit: 10 }, call())
    await backend.deleteExpired(10, call())
    await backend.health(call())
    await backend.close()
    expect(settings(database)).toEqual(before)
    expect(database.open).toBe(true)
    expect(database.inTransaction).toBe(false)
    expect(database.prepare('SELECT 1 AS one').get()).toEqual({ one: 1n })
  })

  it.each([
    ['WAL', 'FULL', 'host'],
    ['WAL', 'EXTRA', 'host'],
    ['WAL', 'NORMAL', 'engine'],
    ['WAL', 'OFF', 'engine'],
    ['DELETE', 'EXTRA', 'host'],
    ['DELETE', 'FULL', 'engine'],
    ['TRUNCATE', 'FULL', 'host'],
    ['MEMORY', 'FULL', 'none'],
  ])('with journal_mode %s and synchronous %s has durability %s', async (journal, synchronous, durability) => {
    const database = rawDatabase(newPath())
    database.pragma(`journal_mode = ${journal}`)
    database.pragma(`synchronous = ${synchronous}`)
    database.pragma('fullfsync = ON')
    const backend = await opened({ database })
    expect(backend.info).toMatchObject({ durability, sharing: 'host' })
    const codes = (await backend.health(call())).warnings.map(({ code }) => code)
    expect(codes.includes('sqlite-not-wal')).toBe(journal !== 'WAL')
  })

  it('in memory keeps nothing and belongs to the process', async () => {
    const backend = await opened({ database: rawDatabase(':memory:') })
    expect(backend.info).toMatchObject({ durability: 'none', sharing: 'process' })
  })

  it('in exclusive locking mode belongs to the process', async () => {
    const database = rawDatabase(newPath())
    database.pragma('locking_mode = EXCLUSIVE')
    expect((await opened({ database })).info.sharing).toBe('process')
  })

  it('is waited for while the application has a transaction open, which stays the application’s own', async () => {
    const database = rawDatabase(newPath())
    const backend = await opened({ database })
    database.exec('CREATE TABLE app (x); BEGIN; INSERT INTO app VALUES (1)')
    const record = newRecord()
    const creation = backend.create(record, call())
    const [early, refused] = await Promise.all([
      failure(backend.get(record.id, call(undefined, 60)), 'MCP_SESSION_LOCKED'),
      failure(backend.create(newRecord(), call(undefined, 60)), 'MCP_SESSION_LOCKED'),
    ])
    for (const error of [early, refused]) {
      expect(error).toMatchObject({
        retryable: true,
        outcome: 'none',
        message: expect.stringMatching(/application has a transaction open/),
      })
    }
    database.exec('ROLLBACK')
    expect(await creation).toBe(true)
    expect(database.prepare('SELECT count(*) FROM app').pluck().get()).toBe(0)
    expect(await backend.get(record.id, call())).toEqual(record)
  })

  it.each([0, 5_000])(
    'is waited for while the application has an iterator open, whose snapshot is not read (busy timeout %i)',
    async (timeout) => {
      const path = newPath()
      const database = rawDatabase(path, { timeout })
      database.pragma('journal_mode = WAL')
      const backend = await opened({ database })
      database.exec('CREATE TABLE app (x); INSERT INTO app VALUES (1), (2)')
      const rows = database.prepare('SELECT x FROM app').iterate()
      rows.next()
      const error = await failure(backend.get('s_1', call(undefined, 60)), 'MCP_SESSION_LOCKED')
      expect(error.message).toMatch(/application has an iterator open/)
      const record = newRecord()
      const found = backend.get(record.id, call())
      await (await opened({ path })).create(record, call())
      rows.return?.()
      expect(await found).toEqual(record)
    },
  )

  it('with a long busy timeout does not stop the event loop', async () => {
    const path = newPath()
    const database = rawDatabase(path, { timeout: 60_000 })
    database.pragma('journal_mode = WAL')
    const backend = await opened({ database })
    const other = rawDatabase(path)
    other.exec('BEGIN IMMEDIATE')
    const record = newRecord()
    const creation = backend.create(record, call())
    // Only this event loop can release the lock: a wait inside SQLite would last for all of the 60 s, and fail.
    setImmediate(() => other.exec('COMMIT'))
    expect(await creation).toBe(true)
    expect(database.pragma('busy_timeout', { simple: true })).toBe(60_000)
  })

  it('with a rollback journal outwaits readers that hold up a commit', async () => {
    const path = newPath()
    const database = rawDatabase(path)
    const backend = await opened({ database })
    const other = rawDatabase(path)
    other.exec('BEGIN; SELECT count(*) FROM mcp_session')
    other.prepare('SELECT count(*) FROM mcp_session').get()
    const record = newRecord()
    const creation = backend.create(record, call())
    await failure(backend.create(newRecord(), call(undefined, 60)), 'MCP_SESSION_LOCKED')
    other.exec('COMMIT')
    expect(await creation).toBe(true)
    expect(await backend.get(record.id, call())).toEqual(record)
  })

  it('that the application closes is UNAVAILABLE', async () => {
    const database = new Database(newPath())
    onTestFinished(() => {
      database.close()
    })
    const backend = await opened({ database })
    database.close()
    for (const attempt of [backend.get('s_1', call()), backend.create(newRecord(), call())]) {
      const error: unknown = await attempt.catch((reason: unknown) => reason)
      expect(backend.classify(error)).toEqual({ code: 'MCP_SESSION_UNAVAILABLE', retryable: false, outcome: 'none' })
    }
    await failure(sqliteBackend({ database }).open(), 'MCP_SESSION_UNAVAILABLE')
  })

  it('that is read-only is UNAVAILABLE', async () => {
    const path = newPath()
    await (await opened({ path })).close()
    const database = rawDatabase(path, { readonly: true })
    const error = await failure(sqliteBackend({ database }).open(), 'MCP_SESSION_UNAVAILABLE')
    expect(error.message).toMatch(/read-only/)
    expect(error.retryable).toBe(false)
  })

  it('takes two stores side by side, each with tables of its own', async () => {
    const database = rawDatabase(newPath())
    const [one, two] = await Promise.all([opened({ database, table: 'one' }), opened({ database, table: 'two' })])
    const record = newRecord()
    expect(await Promise.all([one.create(record, call()), two.create(record, call())])).toEqual([true, true])
    await one.delete(record.id, undefined, call())
    expect(await two.get(record.id, call())).toEqual(record)
  })
})

function settings(database: Database.Database): unknown {
  const names = [
    'journal_mode',
    'synchronous',
    'busy_timeout',
    'foreign_keys',
    'locking_mode',
    'journal_size_limit',
    'fullfsync',
    'cache_size',
  ]
  return names.map((name) => [name, database.pragma(name, { simple: true })])
}
