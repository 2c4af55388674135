import { closeSync, openSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { SessionError } from '@mcp-session/core/backend'
import Database from 'better-sqlite3'

/** What is used of a `Database` of better-sqlite3: its type packages follow one major only, this fits 12 and 13. */
export interface SqliteDatabase {
  readonly name: string
  readonly memory: boolean
  readonly open: boolean
  readonly inTransaction: boolean
  prepare(sql: string): SqliteStatement
  exec(sql: string): unknown
  pragma(sql: string, options?: { simple?: boolean }): unknown
  close(): unknown
}

/** What is used of a prepared statement of better-sqlite3. */
export interface SqliteStatement {
  run(...parameters: unknown[]): { changes: number }
  get(...parameters: unknown[]): unknown
  all(...parameters: unknown[]): unknown[]
  iterate(...parameters: unknown[]): IterableIterator<unknown>
  safeIntegers(state?: boolean): SqliteStatement
}

/** The WAL file shrinks to this after a checkpoint; it grows beyond only while a reader holds on to old pages. */
const walLimitBytes = 64 * 1024 * 1024

/** Opens a file, which it makes private to this user if it makes it. Nothing is read of it yet. */
export function openFile(path: string): SqliteDatabase {
  refuseCrash()
  if (path !== ':memory:') makePrivate(path)
  // The driver would wait inside SQLite, with the event loop stopped: the waiting is ours.
  return load(path)
}

function load(path: string): SqliteDatabase {
  try {
    return new Database(path, { timeout: 0 })
  } catch (error) {
    throw isUnbuilt(error) ? unbuilt(error) : error
  }
}

/** What the driver throws where its native part is missing, or is of another version of Node. */
export function isUnbuilt(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  return error.message.startsWith('Could not locate the bindings file') || ('code' in error && error.code === 'ERR_DLOPEN_FAILED')
}

function unbuilt(cause: unknown): SessionError {
  return new SessionError(
    'MCP_SESSION_UNAVAILABLE',
    `The native part of better-sqlite3 does not load on Node ${process.versions.node}: run "npm rebuild better-sqlite3"; with pnpm 10 allow its build script first ("pnpm approve-builds")`,
    { cause },
  )
}

/** Sets up a connection of our own. It may fail as busy, and may then be called again. */
export function configure(database: SqliteDatabase, durable: boolean): void {
  const mode = database.pragma('journal_mode = WAL', { simple: true })
  if (mode !== 'wal' && !database.memory) {
    throw new SessionError(
      'MCP_SESSION_UNAVAILABLE',
      `SQLite cannot keep a write-ahead log for ${database.name} (journal mode ${String(mode)}): put the file on a disk of this host`,
    )
  }
  database.pragma(`synchronous = ${durable ? 'FULL' : 'NORMAL'}`)
  // On macOS fsync leaves the data in the drive's cache. https://sqlite.org/pragma.html#pragma_fullfsync
  if (durable) database.pragma('fullfsync = ON')
  if (durable) database.pragma('checkpoint_fullfsync = ON')
  database.pragma(`journal_size_limit = ${walLimitBytes}`)
}

/** Whether that version of better-sqlite3 ends a process of that Node-API version without a word when it opens a database. */
export function crashes(driverVersion: string, napiVersion: string | undefined): boolean {
  return Number.parseInt(driverVersion, 10) >= 13 && Number(napiVersion) < 10
}

function refuseCrash(): void {
  const version = installedVersion()
  if (version === undefined || !crashes(version, process.versions['napi'])) return
  throw new SessionError(
    'MCP_SESSION_UNAVAILABLE',
    `better-sqlite3 ${version} crashes on Node ${process.versions.node}: install better-sqlite3 12, or run Node 22.14 or later`,
  )
}

/** Importing the driver is harmless, its native part is loaded with the first database. Bundled, it has no version to see. */
function installedVersion(): string | undefined {
  try {
    const manifest: unknown = createRequire(import.meta.url)('better-sqlite3/package.json')
    if (typeof manifest === 'object' && manifest !== null && 'version' in manifest) return String(manifest.version)
  } catch {}
  return undefined
}

/**
 * SQLite gives the `-wal` and `-shm` files the mode of the database. Only `wx` is safe here: closing a descriptor drops all POSIX
 * locks of the process on that file, and nobody can hold one on a file that did not exist. https://sqlite.org/howtocorrupt.html
 */
function makePrivate(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') throw noFolder(path, error)
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw isFolder(path, error)
  }
}

function noFolder(path: string, cause: unknown): SessionError {
  return new SessionError('MCP_SESSION_UNAVAILABLE', `The folder of the SQLite file ${path} does not exist: create it first`, { cause })
}

function isFolder(path: string, cause: unknown): SessionError {
  return new SessionError('MCP_SESSION_UNAVAILABLE', `${path} is a folder: path must name a file, such as ${path}/sessions.db`, { cause })
}
