import { chmodSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { crashes, isUnbuilt } from '../src/driver.ts'
import { sqliteBackend } from '../src/index.ts'
import { newestVersion } from '../src/migrate.ts'
import { startChild } from './child-process.ts'
import { call, failure, newPath, newRecord, opened, rawDatabase } from './fixtures.ts'

describe('opening', () => {
  it('makes files that only their owner can read', async () => {
    const path = newPath()
    const backend = await opened({ path })
    await backend.create(newRecord(), call())
    const folder = dirname(path)
    const modes = readdirSync(folder).map((name) => [name, (statSync(join(folder, name)).mode & 0o777).toString(8)])
    expect(modes).toEqual([
      ['sessions.db', '600'],
      ['sessions.db-reserve', '600'],
      ['sessions.db-shm', '600'],
      ['sessions.db-wal', '600'],
    ])
  })

  it('syncs every commit by default, and not with durable: false', async () => {
    const strict = await opened({ path: newPath() })
    const relaxed = await opened({ path: newPath(), durable: false })
    expect(strict.info).toEqual({ name: 'sqlite', contract: 1, sharing: 'host', durability: 'host', expiry: 'swept' })
    expect(relaxed.info).toEqual({ ...strict.info, durability: 'engine' })
  })

  it('keeps nothing in memory, and says so', async () => {
    const backend = await opened({ path: ':memory:' })
    expect(backend.info).toMatchObject({ sharing: 'process', durability: 'none' })
    expect((await backend.health(call())).warnings.map(({ code }) => code)).toEqual(['sqlite-in-memory'])
  })

  it('finds everything again after the last close, and counts its openers', async () => {
    const path = newPath()
    const backend = sqliteBackend({ path })
    await backend.open()
    await backend.open()
    const record = newRecord({ owner: 'ü ' })
    await backend.create(record, call())
    await backend.close()
    expect(await backend.get(record.id, call())).toEqual(record)
    await backend.close()
    await backend.close()
    await failure(backend.get(record.id, call()), 'MCP_SESSION_CLOSED')
    await failure(backend.create(record, call()), 'MCP_SESSION_CLOSED')
    await backend.open()
    expect(await backend.get(record.id, call())).toEqual(record)
    await backend.close()
    expect(readdirSync(dirname(path))).toEqual(['sessions.db', 'sessions.db-reserve'])
  })

  it('is UNAVAILABLE on a folder', async () => {
    const path = newPath()
    mkdirSync(path)
    expect((await failure(sqliteBackend({ path }).open(), 'MCP_SESSION_UNAVAILABLE')).message).toMatch(/is a folder.*must name a file/)
  })

  it('is UNAVAILABLE without its folder', async () => {
    const path = join(newPath('missing'), 'sessions.db')
    expect((await failure(sqliteBackend({ path }).open(), 'MCP_SESSION_UNAVAILABLE')).message).toMatch(/does not exist: create it/)
  })

  it('is CORRUPT on a file that is no database, which it leaves as it was', async () => {
    const path = newPath()
    const text = 'This is not a database. '.repeat(400)
    writeFileSync(path, text)
    const error = await failure(sqliteBackend({ path }).open(), 'MCP_SESSION_CORRUPT')
    expect(error.message).toMatch(/not an SQLite database; choose another path/)
    expect(error.cause).toMatchObject({ code: 'SQLITE_NOTADB' })
    expect(statSync(path).size).toBe(text.length)
  })

  it('is UNAVAILABLE on a read-only file', async () => {
    const path = newPath()
    await (await opened({ path })).close()
    chmodSync(dirname(path), 0o755)
    chmodSync(path, 0o444)
    const child = startChild()
    await child.run({ do: 'be nobody' })
    const { error } = await child.run({ do: 'open', options: { path } })
    expect(error).toMatchObject({ code: 'MCP_SESSION_UNAVAILABLE', text: expect.stringMatching(/read-only|permission/) })
  })

  it('is SCHEMA on tables of a newer version, which it names', async () => {
    const path = newPath()
    await (await opened({ path })).close()
    const raw = rawDatabase(path)
    raw.exec(`UPDATE mcp_session_schema SET version = ${newestVersion + 6}`)
    const error = await failure(sqliteBackend({ path }).open(), 'MCP_SESSION_SCHEMA')
    expect(error.message).toContain(`schema version ${newestVersion + 6}, this release knows ${newestVersion}: upgrade`)
    await opened({ path, table: 'other' })
    raw.exec(`UPDATE mcp_session_schema SET version = ${newestVersion}`)
    await opened({ path })
  })

  it('is SCHEMA on a table of the same name that is of somebody else', async () => {
    const path = newPath()
    rawDatabase(path).exec('CREATE TABLE MCP_Session (id TEXT)')
    const error = await failure(sqliteBackend({ path }).open(), 'MCP_SESSION_SCHEMA')
    expect(error.message).toMatch(/not of this package: choose another table/)
    await opened({ path, table: 'other' })
  })

  it('works when four processes set up one new file at once', { timeout: 30_000 }, async () => {
    const path = newPath()
    const children = [startChild(), startChild(), startChild(), startChild()]
    const close = { do: 'close' } as const
    await Promise.all(children.map((child) => child.run(close)))
    const answers = await Promise.all(children.map((child) => child.run({ do: 'open', options: { path } })))
    expect(answers.map(({ error }) => error)).toEqual([undefined, undefined, undefined, undefined])
    expect(rawDatabase(path).prepare('SELECT version FROM mcp_session_schema').pluck().all()).toEqual([newestVersion])
  })

  it('works when many connections of one process set up one new file at once', async () => {
    const path = newPath()
    const backends = await Promise.all(Array.from({ length: 10 }, () => opened({ path })))
    const record = newRecord()
    await backends[0]?.create(record, call())
    expect(await backends[9]?.get(record.id, call())).toEqual(record)
  })

  it('may be tried again after a failure', async () => {
    const path = newPath()
    mkdirSync(path)
    const backend = sqliteBackend({ path: join(path, 'later', 'sessions.db') })
    await failure(backend.open(), 'MCP_SESSION_UNAVAILABLE')
    mkdirSync(join(path, 'later'))
    await backend.open()
    await backend.close()
  })
})

describe('options', () => {
  it.each([['x"; DROP TABLE users; --'], [''], ['1st'], ['a b'], ['a-b'], ['ä'], ['a'.repeat(42)], ['sqlite_sessions'], ['a\u0000b']])(
    'refuse the table name %j and name it',
    (table) => {
      expect(() => sqliteBackend({ path: 'x.db', table })).toThrow(RangeError)
      expect(() => sqliteBackend({ path: 'x.db', table })).toThrow(JSON.stringify(table))
    },
  )

  it('take any other name for tables of their own', async () => {
    const path = newPath()
    const tables = ['select', '_', 'Camel', 'a'.repeat(41)]
    for (const table of tables) {
      const backend = await opened({ path, table })
      expect(await backend.create(newRecord({ id: 's_1' }), call())).toBe(true)
    }
    const names = rawDatabase(path).prepare(`SELECT name FROM sqlite_master WHERE type = 'table'`).pluck().all()
    expect(names).toEqual(expect.arrayContaining(['select', 'select_event', '_', 'camel', 'a'.repeat(41)]))
    const sameTables = await opened({ path, table: 'CAMEL' })
    expect(await sameTables.create(newRecord({ id: 's_1' }), call())).toBe(false)
    expect(await sameTables.create(newRecord({ id: 's_2' }), call())).toBe(true)
  })

  it.each([
    [{ path: 1 }, 'path must be a string, got number'],
    [{}, 'path must be a string, got undefined'],
    [null, 'options must be an object, got null'],
    [{ path: 'x.db', durable: 'yes' }, 'durable must be a boolean, got string'],
    [{ path: 'x.db', table: 5 }, 'table must be a string, got number'],
    [{ database: {} }, 'database must be a Database of better-sqlite3, got object'],
    [{ path: 'x.db', database: rawMemory() }, 'path and database exclude each other'],
    [{ database: rawMemory(), durable: true }, 'durable goes with path'],
  ])('refuse %j', (options, message) => {
    expect(() => sqliteBackend(options as never)).toThrow(TypeError)
    expect(() => sqliteBackend(options as never)).toThrow(message)
  })

  it('refuse a path that names no file', () => {
    expect(() => sqliteBackend({ path: '  ' })).toThrow(RangeError)
    expect(() => sqliteBackend({ path: 'a\u0000b' })).toThrow(RangeError)
  })
})

describe('the driver', () => {
  it.each([
    ['12.11.1', '9', false],
    ['13.0.0', '9', true],
    ['13.2.0', '9', true],
    ['13.2.0', '10', false],
    ['12.11.1', '137', false],
  ])('of version %s crashes with Node-API %s: %s', (driverVersion, napiVersion, expected) => {
    expect(crashes(driverVersion, napiVersion)).toBe(expected)
  })
})

function rawMemory(): object {
  const method = () => undefined
  return { prepare: method, exec: method, pragma: method }
}

describe('the driver without its native part', () => {
  it.each([
    ['never compiled', new Error('Could not locate the bindings file. Tried:\n → …'), true],
    ['compiled for another Node', Object.assign(new Error('compiled against another version'), { code: 'ERR_DLOPEN_FAILED' }), true],
    ['that works, on a path that does not', Object.assign(new Error('unable to open'), { code: 'SQLITE_CANTOPEN' }), false],
  ])('is told from other failures: %s', (_what, error, expected) => {
    expect(isUnbuilt(error)).toBe(expected)
  })
})
