/**
 * The codes of {@link SessionError}. They follow semantic versioning; messages do not.
 *
 * - `CLOSED` – used before `open` or after `close`: fix the lifecycle.
 * - `CONFLICT` – a compare-and-set kept losing until the deadline, or a live session has the id asked for.
 * - `TIMEOUT` – not settled by the call's deadline.
 * - `OVERLOADED` – more calls in flight or queued than allowed: shed load.
 * - `LIMIT` – the engine or a quota has no room.
 * - `TOO_LARGE` – a value exceeds its size limit.
 * - `CORRUPT` – stored bytes do not match their checksum, or the file is not a store.
 * - `LOCKED` – another process holds the engine or its write lock.
 * - `SCHEMA` – data written by an incompatible, usually newer, version.
 * - `UNAVAILABLE` – the engine cannot be reached or refuses to work now.
 * - `CONTRACT` – the backend implements a contract that this core does not know, or broke it.
 * - `INTERNAL` – anything that a backend's `classify` does not name; `cause` is the driver's error.
 */
export type SessionErrorCode =
  | 'MCP_SESSION_CLOSED'
  | 'MCP_SESSION_CONFLICT'
  | 'MCP_SESSION_TIMEOUT'
  | 'MCP_SESSION_OVERLOADED'
  | 'MCP_SESSION_LIMIT'
  | 'MCP_SESSION_TOO_LARGE'
  | 'MCP_SESSION_CORRUPT'
  | 'MCP_SESSION_LOCKED'
  | 'MCP_SESSION_SCHEMA'
  | 'MCP_SESSION_UNAVAILABLE'
  | 'MCP_SESSION_CONTRACT'
  | 'MCP_SESSION_INTERNAL'

export interface SessionErrorOptions {
  /** True if the same call may succeed later, unchanged. Default false. */
  retryable?: boolean
  /** `none`: nothing was written. `unknown`: a write may have happened, or may still happen. Default `none`. */
  outcome?: 'none' | 'unknown'
  /** The driver's error. For logs: it may name hosts and keys. */
  cause?: unknown
}

const brand: unique symbol = Symbol.for('@mcp-session/SessionError')

/**
 * Every operational failure of a store. Programmer mistakes are `TypeError` and `RangeError`; absence and
 * lost races are values. Messages never carry metadata, full ids or connection strings.
 */
export class SessionError extends Error {
  override readonly name = 'SessionError'
  readonly code: SessionErrorCode
  /** True if the same call may succeed later, unchanged. */
  readonly retryable: boolean
  /** `none`: nothing was written. `unknown`: a write may have happened, or may still happen. */
  readonly outcome: 'none' | 'unknown'

  constructor(code: SessionErrorCode, message: string, options: SessionErrorOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined)
    this.code = code
    this.retryable = options.retryable ?? false
    this.outcome = options.outcome ?? 'none'
    Object.defineProperty(this, brand, { value: true })
  }

  /** Whether `value` is a SessionError (with that code, if given); works across copies of this package, unlike `instanceof`. */
  static is(value: unknown, code?: SessionErrorCode): value is SessionError {
    const isOne = typeof value === 'object' && value !== null && brand in value
    return isOne && (code === undefined || Object(value).code === code)
  }
}
