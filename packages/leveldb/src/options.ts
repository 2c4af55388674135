import { resolve } from 'node:path'
import type { LevelDatabase } from './driver.ts'

/** A folder of the backend's own: opened by `open`, closed by the last `close`. */
export interface LeveldbFolderOptions {
  /** The folder of the database; created with mode 0700 where there is none. The folder above it must exist. */
  readonly path: string
  /**
   * `true` (default): every write is synced, so that an acknowledged one survives a power cut. `false`: it survives a killed process, but
   * a power cut may take the last moments.
   */
  readonly durable?: boolean | undefined
  /** Memory for sessions that were read or written lately. Default 64 MiB; 0: none. */
  readonly cacheBytes?: number | undefined
  readonly db?: undefined
}

/** A database of the application, borrowed: it is never closed. */
export interface LeveldbDatabaseOptions {
  /**
   * An open `ClassicLevel`, or an empty sublevel of one where the database holds other things as well. Its encodings may be any: each
   * step says its own. While the store is open nobody else may write to it, and nobody close it.
   */
  readonly db: LevelDatabase
  /** As for a folder: it goes with each write. */
  readonly durable?: boolean | undefined
  /** As for a folder. */
  readonly cacheBytes?: number | undefined
  readonly path?: undefined
}

export type LeveldbBackendOptions = LeveldbFolderOptions | LeveldbDatabaseOptions

/** The options, checked, with every default filled in. */
export interface LeveldbSettings {
  readonly durable: boolean
  readonly cacheBytes: number
  readonly source: { readonly kind: 'folder'; readonly path: string } | { readonly kind: 'database'; readonly database: LevelDatabase }
}

/** Checks options that may come from untyped code. A `TypeError` or `RangeError` names the value. */
export function readOptions(options: LeveldbBackendOptions): LeveldbSettings {
  if (typeof options !== 'object' || options === null) throw new TypeError(`options must be an object, got ${kindOf(options)}`)
  const durable = checkDurable(options.durable ?? true)
  const cacheBytes = checkBytes(options.cacheBytes ?? 64 * 1024 * 1024)
  if (options.db === undefined) return { durable, cacheBytes, source: { kind: 'folder', path: checkPath(options.path) } }
  if (options.path !== undefined) throw new TypeError('path and db exclude each other: give one of them')
  return { durable, cacheBytes, source: { kind: 'database', database: checkDatabase(options.db) } }
}

function checkPath(path: unknown): string {
  if (typeof path !== 'string') throw new TypeError(`path must be a string, got ${kindOf(path)}`)
  if (path === '' || path.includes('\0')) throw new RangeError(`path must name a folder, got ${JSON.stringify(path)}`)
  return resolve(path)
}

function checkDurable(durable: unknown): boolean {
  if (typeof durable !== 'boolean') throw new TypeError(`durable must be a boolean, got ${kindOf(durable)}`)
  return durable
}

function checkBytes(cacheBytes: unknown): number {
  if (typeof cacheBytes !== 'number') throw new TypeError(`cacheBytes must be a number, got ${kindOf(cacheBytes)}`)
  if (Number.isSafeInteger(cacheBytes) && cacheBytes >= 0) return cacheBytes
  throw new RangeError(`cacheBytes must be an integer of at least 0, got ${cacheBytes}`)
}

function checkDatabase(database: LevelDatabase): LevelDatabase {
  const methods = ['getSync', 'getMany', 'batch', 'keys', 'iterator', 'snapshot'] as const
  if (typeof database !== 'object' || database === null || methods.some((method) => typeof database[method] !== 'function')) {
    throw new TypeError(`db must be a ClassicLevel or a sublevel of one, got ${kindOf(database)}`)
  }
  const { getSync, explicitSnapshots } = database.supports
  if (getSync !== true || explicitSnapshots !== true) {
    throw new TypeError('db must support getSync and snapshots, as classic-level 3 does: see its supports')
  }
  return database
}

function kindOf(value: unknown): string {
  return value === null ? 'null' : typeof value
}
