import { type Call, SessionError } from '@mcp-session/core/backend'
import type { Connection } from './connection.ts'
import type { SqliteDatabase } from './driver.ts'
import { migrations } from './migrations.ts'
import { columnsOf, isInteger } from './rows.ts'
import { isBusy } from './sqlite-errors.ts'

/** The newest schema that this code knows. */
export const newestVersion: number = Math.max(...migrations.map(({ version }) => version))

/**
 * Brings the tables up to date, in one transaction that excludes every other writer; where they are, it only checks that it may
 * write. `SCHEMA` for tables of a newer version, or of somebody else.
 */
export async function migrate(connection: Connection, table: string, call: Call): Promise<void> {
  const { database } = connection
  const found = await connection.persist(call, () => versionOf(database, table))
  if (found === newestVersion) return checkWritable(connection, table)
  await connection.persist(call, () => connection.transact(() => runMissing(database, table)))
}

function runMissing(database: SqliteDatabase, table: string): void {
  // Another process may have done it while this one waited for the lock.
  const found = versionOf(database, table)
  if (found === 0) {
    refuseForeignTables(database, table)
    database.exec(`CREATE TABLE "${table}_schema" (version INTEGER NOT NULL) STRICT; INSERT INTO "${table}_schema" VALUES (0)`)
  }
  for (const { version, statements } of migrations) {
    if (version > found) for (const statement of statements(table)) database.exec(statement)
  }
  database.exec(`UPDATE "${table}_schema" SET version = ${newestVersion}`)
}

/** 0: there are no tables of ours. */
function versionOf(database: SqliteDatabase, table: string): number {
  if (!hasTable(database, `${table}_schema`)) return 0
  const version = columnsOf(database.prepare(`SELECT version FROM "${table}_schema"`).safeIntegers(false).get() ?? {})['version']
  if (!isInteger(version) || version < 1) {
    throw new SessionError(
      'MCP_SESSION_CORRUPT',
      `"${table}_schema" in ${database.name} holds no version: restore a backup, or choose another table`,
    )
  }
  if (version <= newestVersion) return version
  throw new SessionError(
    'MCP_SESSION_SCHEMA',
    `The tables "${table}" in ${database.name} have schema version ${version}, this release knows ${newestVersion}: upgrade @mcp-session/sqlite here`,
  )
}

function refuseForeignTables(database: SqliteDatabase, table: string): void {
  const taken = ['', '_event', '_log', '_trim', '_signal'].map((suffix) => table + suffix).find((name) => hasTable(database, name))
  if (taken === undefined) return
  throw new SessionError(
    'MCP_SESSION_SCHEMA',
    `${database.name} has a table "${taken}" that is not of this package: choose another table option`,
  )
}

function hasTable(database: SqliteDatabase, name: string): boolean {
  return database.prepare('SELECT 1 FROM sqlite_master WHERE name = ? COLLATE NOCASE').get(name) !== undefined
}

/** A read-only file opens without a word, and even begins a transaction. Somebody else's lock proves that it can be written. */
function checkWritable(connection: Connection, table: string): void {
  try {
    connection.transact(() => connection.database.exec(`UPDATE "${table}_schema" SET version = version WHERE false`))
  } catch (error) {
    if (!isBusy(error)) throw error
  }
}
