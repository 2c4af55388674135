export interface MemoryBackendOptions {
  /** Records held at most, a positive integer. Default `Infinity`: no bound but the heap of the process. */
  readonly maxSessions?: number | undefined
  /**
   * What `create` does when `maxSessions` live records are held. `refuse` (default): it rejects with
   * `MCP_SESSION_LIMIT`. `evict`: the live session with the oldest `lastAccessedAt` is removed to make room.
   */
  readonly whenFull?: 'refuse' | 'evict' | undefined
}

/** The options with every default filled in. */
export interface MemorySettings {
  readonly maxSessions: number
  readonly whenFull: 'refuse' | 'evict'
}

/** Checks options that may come from untyped code. A `TypeError` or `RangeError` names the value. */
export function readOptions(options: MemoryBackendOptions): MemorySettings {
  if (typeof options !== 'object' || options === null) throw new TypeError(`options must be an object, got ${options}`)
  const { maxSessions = Number.POSITIVE_INFINITY, whenFull = 'refuse' } = options
  if (typeof maxSessions !== 'number') throw new TypeError(`maxSessions must be a number, got ${typeof maxSessions}`)
  if (maxSessions !== Number.POSITIVE_INFINITY && (!Number.isSafeInteger(maxSessions) || maxSessions < 1)) {
    throw new RangeError(`maxSessions must be a positive integer or Infinity, got ${maxSessions}`)
  }
  if (typeof whenFull !== 'string') throw new TypeError(`whenFull must be 'refuse' or 'evict', got ${typeof whenFull}`)
  if (whenFull !== 'refuse' && whenFull !== 'evict') throw new RangeError(`whenFull must be 'refuse' or 'evict', got '${whenFull}'`)
  return { maxSessions, whenFull }
}
