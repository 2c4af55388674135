import { resolve } from 'node:path'
import type { SqliteDatabase } from './driver.ts'

/** A database file of the backend's own: opened by `open`, closed by the last `close`. */
export interface SqliteFileOptions {
  /** The database file; created with mode 0600 where there is none. Its folder must exist. `:memory:` keeps nothing. */
  readonly path: string
  /**
   * `true` (default): an acknowledged write survives a power cut (`synchronous=FULL`). `false`: it survives a killed process, but a
   * power cut may take the last moments (`synchronous=NORMAL`). All processes on one file should say the same.
   */
  readonly durable?: boolean | undefined
  /**
   * Bytes of write-ahead log beyond which writes are refused with `LIMIT`, deletions excepted, while a reader keeps them from being
   * written back. Default 1 GiB; `Infinity`: none, then a reader that never ends fills the disk.
   */
  readonly maxWalBytes?: number | undefined
  /** First part of the names of all tables: `[A-Za-z_][A-Za-z0-9_]{0,40}`, letter case ignored. Default `mcp_session`. */
  readonly table?: string | undefined
  readonly database?: undefined
}

/** A connection of the application, borrowed: its own pragmas decide `info.durability`, and it is never closed or changed. */
export interface SqliteHandleOptions {
  /** An open, writable `Database` of better-sqlite3, 12 or later. */
  readonly database: SqliteDatabase
  /** As for a file. */
  readonly table?: string | undefined
  readonly path?: undefined
  readonly durable?: undefined
  readonly maxWalBytes?: undefined
}

export type SqliteBackendOptions = SqliteFileOptions | SqliteHandleOptions

/** The options, checked, with every default filled in. */
export interface SqliteSettings {
  readonly table: string
  readonly source:
    | { readonly kind: 'file'; readonly path: string; readonly durable: boolean; readonly maxWalBytes: number }
    | { readonly kind: 'handle'; readonly database: SqliteDatabase }
}

/** Checks options that may come from untyped code. A `TypeError` or `RangeError` names the value. */
export function readOptions(options: SqliteBackendOptions): SqliteSettings {
  if (typeof options !== 'object' || options === null) throw new TypeError(`options must be an object, got ${kindOf(options)}`)
  const table = checkTable(options.table ?? 'mcp_session')
  if (options.database === undefined)
    return {
      table,
      source: { kind: 'file', path: checkPath(options.path), durable: checkDurable(options), maxWalBytes: checkWalBytes(options) },
    }
  if (options.path !== undefined) throw new TypeError('path and database exclude each other: give one of them')
  if (options.durable !== undefined) throw new TypeError('durable goes with path: the pragmas of a borrowed database decide')
  if (options.maxWalBytes !== undefined) throw new TypeError('maxWalBytes goes with path: the pragmas of a borrowed database decide')
  return { table, source: { kind: 'handle', database: checkDatabase(options.database) } }
}

/** SQLite ignores letter case in names of tables, but not in its list of sequences: so one spelling. */
function checkTable(table: unknown): string {
  if (typeof table !== 'string') throw new TypeError(`table must be a string, got ${kindOf(table)}`)
  if (!/^[A-Za-z_][A-Za-z0-9_]{0,40}$/.test(table)) {
    throw new RangeError(`table must match [A-Za-z_][A-Za-z0-9_]{0,40}, got ${JSON.stringify(table.slice(0, 80))}`)
  }
  if (/^sqlite_/i.test(table))
    throw new RangeError(`table must not begin with sqlite_, which SQLite keeps for itself, got ${JSON.stringify(table)}`)
  return table.toLowerCase()
}

function checkPath(path: unknown): string {
  if (typeof path !== 'string') throw new TypeError(`path must be a string, got ${kindOf(path)}`)
  // The driver trims names, and takes an empty one for a temporary database.
  const name = path.trim()
  if (name === '' || name.includes('\0')) throw new RangeError(`path must name a file, got ${JSON.stringify(path)}`)
  return name === ':memory:' ? name : resolve(name)
}

function checkDurable({ durable = true }: SqliteFileOptions): boolean {
  if (typeof durable !== 'boolean') throw new TypeError(`durable must be a boolean, got ${kindOf(durable)}`)
  return durable
}

function checkWalBytes({ maxWalBytes = 1024 * 1024 * 1024 }: SqliteFileOptions): number {
  if (typeof maxWalBytes !== 'number') throw new TypeError(`maxWalBytes must be a number, got ${kindOf(maxWalBytes)}`)
  if (maxWalBytes === Number.POSITIVE_INFINITY || (Number.isSafeInteger(maxWalBytes) && maxWalBytes > 0)) return maxWalBytes
  throw new RangeError(`maxWalBytes must be a positive integer or Infinity, got ${maxWalBytes}`)
}

function checkDatabase(database: SqliteDatabase): SqliteDatabase {
  const methods = ['prepare', 'exec', 'pragma'] as const
  if (typeof database !== 'object' || database === null || methods.some((method) => typeof database[method] !== 'function')) {
    throw new TypeError(`database must be a Database of better-sqlite3, got ${kindOf(database)}`)
  }
  return database
}

function kindOf(value: unknown): string {
  return value === null ? 'null' : typeof value
}
