import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { contentOf, counted, ttlMs } from '../record.ts'
import type { Store } from '../store.ts'
import { onlyCreating } from './only-creating.ts'

interface Row {
  readonly data: string
  readonly version: number
}

/** The driver alone, a statement and so a transaction per call: `FULL` syncs each of them, `NORMAL` none. */
export function betterSqlite3Store(folder: string, synchronous: 'FULL' | 'NORMAL'): Store {
  const database = openDatabase(folder, synchronous)
  const insert = insertInto(database)
  const select = database.prepare<[string, number], Row>('SELECT data, version FROM sessions WHERE id = ? AND expires_at > ?')
  const touch = database.prepare('UPDATE sessions SET expires_at = ? WHERE id = ?')
  const update = database.prepare('UPDATE sessions SET data = ?, version = version + 1, expires_at = ? WHERE id = ?')
  const remove = removeFrom(database)

  function get(id: string) {
    const row = select.get(id, Date.now())
    return row && { version: row.version, metadata: JSON.parse(row.data) }
  }

  return {
    create: async (n) => insert(n),
    retrieve: async (id) => get(id),
    async touch(id) {
      if (get(id) === undefined) return false
      return touch.run(Date.now() + ttlMs, id).changes === 1
    },
    async update(id) {
      const row = get(id)
      if (row === undefined) return false
      return update.run(JSON.stringify(counted(row.metadata)), Date.now() + ttlMs, id).changes === 1
    },
    delete: async (id) => remove.run(id).changes === 1,
    count: async () => countIn(database),
    async close() {
      database.close()
    },
  }
}

/** What the engine at best does: all inserts in one transaction that is committed at the end. It can only create. */
export function oneTransactionStore(folder: string): Store {
  const database = openDatabase(folder, 'NORMAL')
  const insert = insertInto(database)
  const remove = removeFrom(database)
  database.exec('BEGIN IMMEDIATE')
  return onlyCreating({
    create: async (n) => insert(n),
    delete: async (id) => remove.run(id).changes === 1,
    count: async () => countIn(database),
    async close() {
      database.exec('COMMIT')
      database.close()
    },
  })
}

function openDatabase(folder: string, synchronous: 'FULL' | 'NORMAL'): Database.Database {
  const database = new Database(join(folder, 'sessions.sqlite'))
  database.pragma('journal_mode = WAL')
  database.pragma(`synchronous = ${synchronous}`)
  database.pragma('cache_size = -65536')
  database.exec(`
    CREATE TABLE sessions (
      id TEXT NOT NULL UNIQUE, version INTEGER NOT NULL, created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, data TEXT NOT NULL
    );
    CREATE INDEX sessions_by_expiry ON sessions (expires_at);
  `)
  return database
}

function insertInto(database: Database.Database): (n: number) => string {
  const insert = database.prepare('INSERT INTO sessions (id, version, created_at, expires_at, data) VALUES (?, 1, ?, ?, ?)')
  return (n) => {
    const id = randomUUID()
    const now = Date.now()
    insert.run(id, now, now + ttlMs, JSON.stringify(contentOf(n)))
    return id
  }
}

function removeFrom(database: Database.Database) {
  return database.prepare<[string]>('DELETE FROM sessions WHERE id = ?')
}

function countIn(database: Database.Database): number {
  return database.prepare<[], number>('SELECT count(*) FROM sessions').pluck().get() ?? 0
}
