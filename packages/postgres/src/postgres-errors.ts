import type { ErrorClass, SessionErrorCode } from '@mcp-session/core/backend'
import { SessionError } from '@mcp-session/core/backend'

const named = (code: string, retryable: boolean, outcome: 'none' | 'unknown' = 'none'): ErrorClass => ({
  code: `MCP_SESSION_${code}` as SessionErrorCode,
  retryable,
  outcome,
})

/**
 * First match decides. An error of a statement has undone it, all of it: outcome `none`. Where the connection ends as well, a commit
 * may have come first. https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const sqlStates: readonly (readonly [RegExp, ErrorClass])[] = [
  [/^(40001|40P01|55P03|55006)$/, named('LOCKED', true)],
  [/^40/, named('UNAVAILABLE', true, 'unknown')],
  [/^(08001|08004)$/, named('UNAVAILABLE', true)],
  [/^08/, named('UNAVAILABLE', true, 'unknown')],
  [/^(57P03|57014)$/, named('UNAVAILABLE', true)],
  [/^57/, named('UNAVAILABLE', true, 'unknown')],
  [/^(53100|53400)$/, named('LIMIT', true)],
  [/^53/, named('UNAVAILABLE', true)],
  [/^54/, named('TOO_LARGE', false)],
  [/^25006$/, named('UNAVAILABLE', true)],
  [/^25/, named('UNAVAILABLE', false)],
  [/^(42501|28|3D000)/, named('UNAVAILABLE', false)],
  [/^(42P01|42883|42703|3F000)$/, named('SCHEMA', false)],
  [/^(26000|42P05|0A000)$/, named('UNAVAILABLE', true)],
  [/^XX00[12]$/, named('CORRUPT', false)],
  [/^58/, named('UNAVAILABLE', true, 'unknown')],
  [/^(22|23|42|44|XX|P0|21|2F|38|39|F0|HV)/, named('INTERNAL', false)],
]

/** Of Node and of OpenSSL: what a socket says. */
const socketCodes: readonly (readonly [RegExp, ErrorClass])[] = [
  [/^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EAI_FAIL|EADDRNOTAVAIL|EMFILE|ENFILE|ENOENT|EACCES)$/, named('UNAVAILABLE', true)],
  [/^(ECONNRESET|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EHOSTDOWN|ENETDOWN|ECONNABORTED)$/, named('UNAVAILABLE', true, 'unknown')],
  [/^(ERR_TLS_|ERR_SSL_|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|ERR_OSSL)/, named('UNAVAILABLE', false)],
]

/** What pg throws without a code. */
const messages: readonly (readonly [RegExp, ErrorClass])[] = [
  [/^timeout exceeded when trying to connect$|^timeout expired$/, named('UNAVAILABLE', true)],
  [/^Connection terminated due to connection timeout$/, named('UNAVAILABLE', true)],
  [/^Client (has encountered a connection error|was closed) and is not queryable$/, named('UNAVAILABLE', true)],
  [/^Connection terminated( unexpectedly)?$|^Query read timeout$/, named('UNAVAILABLE', true, 'unknown')],
  [/^Cannot use a pool after calling end on the pool$/, named('UNAVAILABLE', false)],
  [/^The server does not support SSL connections$|^There was an error establishing an SSL connection$/, named('UNAVAILABLE', false)],
  [/^SASL:/, named('UNAVAILABLE', false)],
]

/** Pgbouncer says this of a call that never had a server; its other errors end a call that may have been carried out. */
const neverServed =
  /^(query_wait_timeout|no more connections allowed|pgbouncer cannot connect to server|server login has been failing|bouncer config error|no such (user|database))/

/** Names an error of PostgreSQL, pg, pgbouncer or the socket; `undefined` for anything else. */
export function classify(error: unknown): ErrorClass | undefined {
  if (!(error instanceof Error)) return undefined
  const code = codeOf(error)
  if (code === undefined) return messages.find(([pattern]) => pattern.test(error.message))?.[1]
  if (code === '08P01' && neverServed.test(error.message)) return named('UNAVAILABLE', true)
  if ('syscall' in error && error.syscall === 'connect') return named('UNAVAILABLE', true)
  return [...(isSqlState(code) ? sqlStates : []), ...socketCodes].find(([pattern]) => pattern.test(code))?.[1]
}

/** Whether the statement was undone by a conflict with another one: the same statement may pass in a moment. */
export function isConflict(error: unknown): boolean {
  return /^(40001|40P01)$/.test(codeOf(error) ?? '')
}

/** Whether a lock of somebody else was in the way for too long. */
export function isLocked(error: unknown): boolean {
  return codeOf(error) === '55P03'
}

/** Whether a read is worth another try on another connection. A cancelled statement is not: somebody wants it to end. */
export function isPassing(error: unknown): boolean {
  const known = classify(error)
  return isConflict(error) || (known?.code === 'MCP_SESSION_UNAVAILABLE' && known.retryable && codeOf(error) !== '57014')
}

/** Whether one call's values, or its row, are at fault, and not the engine. Nothing of the flush was written. */
export function isCallsFault(error: unknown): boolean {
  if (error instanceof TypeError || error instanceof RangeError) return true
  return /^(22|23|54|55P03)/.test(codeOf(error) ?? '')
}

/** Whether the connection can go on after that error. */
export function keepsConnection(error: unknown): boolean {
  const code = codeOf(error)
  return code !== undefined && isSqlState(code) && !/^(08|57P|25P0[34]|58|XX)/.test(code)
}

/** What to throw for a call that got no connection by its deadline. */
export function notSent(cause: unknown): unknown {
  if (cause !== undefined && classify(cause)?.outcome === 'none') return cause
  const message =
    'No connection to postgres was free by the deadline, and the call was not sent: is the engine up, and the pool large enough?'
  return new SessionError('MCP_SESSION_TIMEOUT', message, { retryable: true, ...(cause === undefined ? {} : { cause }) })
}

/** What to throw when a lock outlasted a call. */
export function locked(): SessionError {
  const message =
    'Somebody else held a lock on the session in postgres beyond the deadline, nothing was written: look for long transactions in pg_stat_activity'
  return new SessionError('MCP_SESSION_LOCKED', message, { retryable: true })
}

/** What `open` throws: every known failure is typed there, and says what to do. Anything else goes on as it is. */
export function openFailure(error: unknown): unknown {
  if (SessionError.is(error)) return error
  const known = classify(error)
  if (known === undefined || known.code === 'MCP_SESSION_INTERNAL') return error
  return new SessionError(known.code, `The store in postgres cannot be opened: ${remedy(codeOf(error) ?? '')}`, {
    retryable: known.retryable,
    cause: error,
  })
}

function remedy(code: string): string {
  if (/^28/.test(code)) return 'the engine refuses the user or password; check the url and pg_hba.conf'
  if (code === '3D000') return 'the database does not exist; create it first'
  if (code === '42501') return 'the user lacks a right; see "Least privilege" in the README, or run migratePostgres() as another user'
  if (/^(42|3F)/.test(code)) return 'tables or functions are missing or not those of this release; run migratePostgres()'
  if (code === '25006') return 'the engine is read-only, perhaps a standby; connect to the primary'
  if (code === '53300') return 'the engine has no connection left; lower poolOptions.max, raise max_connections, or use a pooler'
  if (code === 'ECONNREFUSED') return 'nobody listens at that address; start the engine or correct the url'
  if (/^(ENOTFOUND|EAI_)/.test(code)) return 'the host of the url is unknown'
  return 'it cannot be reached or refuses to work; look at the cause'
}

function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

function isSqlState(code: string): boolean {
  return /^[0-9A-Z]{5}$/.test(code)
}
