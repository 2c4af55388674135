import { resolve } from 'node:path'

export interface FileBackendOptions {
  /** The folder of the store; made, with mode 0700, where there is none. Its parent must exist. */
  readonly path: string
  /**
   * Default `true`: a write is acknowledged when it is on disk. `false`, the relaxed mode: when the operating system has it, which syncs
   * it within 200 ms: it survives a killed process, but a power cut may take the writes of the last 200 ms, always the newest ones.
   */
  readonly durable?: boolean
  /** Of damaged files. Default `strict`: `open` refuses with `CORRUPT`. `salvage`: it puts damage aside and keeps all the rest. */
  readonly damage?: 'strict' | 'salvage'
  /** Memory for records and events that were read or written lately. Default 64 MiB; 0: none. */
  readonly cacheBytes?: number
  /** Default false: network file systems are refused, as their locks and syncs do not hold what is promised here. */
  readonly allowNetworkFileSystem?: boolean
  /** Called by `open` once the store is read, before `open` resolves. What it throws, `open` throws. */
  readonly onOpen?: (report: OpenReport) => void
}

/** What `open` found. */
export interface OpenReport {
  /** Live and expired sessions. */
  readonly sessions: number
  /** Bytes of the log. */
  readonly bytes: number
  /** Parts of files that are not part of the store any more. None: nothing was wrong. */
  readonly putAside: readonly PutAside[]
}

export interface PutAside {
  readonly file: string
  readonly offset: number
  readonly bytes: number
  /** `torn`: a write that a crash cut short. `damaged`: what was there had been on disk. */
  readonly kind: 'torn' | 'damaged'
  /** Where a copy is, in the same folder; `undefined`: there was nothing to copy. */
  readonly copy: string | undefined
  /** Bytes that are missing at the end of the file. */
  readonly missingBytes: number
}

export interface FileSettings extends Required<Omit<FileBackendOptions, 'onOpen'>> {
  onOpen(report: OpenReport): void
}

/** Checks the options and fills in the defaults. TypeError or RangeError, before anything is touched. */
export function readOptions(options: FileBackendOptions): FileSettings {
  if (typeof options !== 'object' || options === null) throw new TypeError(`options must be an object, got ${kindOf(options)}`)
  const {
    path,
    durable = true,
    damage = 'strict',
    cacheBytes = 64 * 1024 * 1024,
    allowNetworkFileSystem = false,
    onOpen = () => {},
  } = options
  if (typeof path !== 'string') throw new TypeError(`path must be a string, got ${kindOf(path)}`)
  if (path === '' || path.includes('\0')) throw new RangeError(`path must name a folder, got ${JSON.stringify(path)}`)
  if (typeof durable !== 'boolean') throw new TypeError(`durable must be a boolean, got ${kindOf(durable)}`)
  if (damage !== 'strict' && damage !== 'salvage') throw new RangeError(`damage must be 'strict' or 'salvage', got ${String(damage)}`)
  if (typeof cacheBytes !== 'number') throw new TypeError(`cacheBytes must be a number, got ${kindOf(cacheBytes)}`)
  if (!Number.isSafeInteger(cacheBytes) || cacheBytes < 0)
    throw new RangeError(`cacheBytes must be an integer of at least 0, got ${cacheBytes}`)
  if (typeof allowNetworkFileSystem !== 'boolean') {
    throw new TypeError(`allowNetworkFileSystem must be a boolean, got ${kindOf(allowNetworkFileSystem)}`)
  }
  if (typeof onOpen !== 'function') throw new TypeError(`onOpen must be a function, got ${kindOf(onOpen)}`)
  return { path: resolve(path), durable, damage, cacheBytes, allowNetworkFileSystem, onOpen }
}

function kindOf(value: unknown): string {
  return value === null ? 'null' : typeof value
}
