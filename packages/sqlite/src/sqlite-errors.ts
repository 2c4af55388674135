import { type ErrorClass, SessionError } from '@mcp-session/core/backend'

/** First match decides; codes are those of better-sqlite3's `SqliteError`. https://sqlite.org/rescode.html */
const classes: readonly (readonly [RegExp, ErrorClass])[] = [
  [/^SQLITE_(BUSY|LOCKED|PROTOCOL)/, { code: 'MCP_SESSION_LOCKED', retryable: true, outcome: 'none' }],
  // SQLite rolls back what did not fit: the commit frame comes last.
  [/^SQLITE_FULL/, { code: 'MCP_SESSION_LIMIT', retryable: true, outcome: 'none' }],
  // A commit whose sync failed stands in the file, and may be found there after a crash.
  [/^SQLITE_IOERR/, { code: 'MCP_SESSION_UNAVAILABLE', retryable: true, outcome: 'unknown' }],
  [/^SQLITE_(CORRUPT|NOTADB)/, { code: 'MCP_SESSION_CORRUPT', retryable: false, outcome: 'none' }],
  [/^SQLITE_(READONLY|PERM|AUTH)/, { code: 'MCP_SESSION_UNAVAILABLE', retryable: false, outcome: 'none' }],
  [/^SQLITE_(CANTOPEN|NOMEM|INTERRUPT|ABORT|SCHEMA)/, { code: 'MCP_SESSION_UNAVAILABLE', retryable: true, outcome: 'none' }],
  [/^SQLITE_TOOBIG/, { code: 'MCP_SESSION_TOO_LARGE', retryable: false, outcome: 'none' }],
  [/^SQLITE_NOLFS/, { code: 'MCP_SESSION_LIMIT', retryable: false, outcome: 'none' }],
  // A table that somebody dropped or changed: the statement did nothing, and the transaction was rolled back.
  [/^SQLITE_(ERROR|CONSTRAINT|MISMATCH|MISUSE|RANGE|INTERNAL)/, { code: 'MCP_SESSION_INTERNAL', retryable: false, outcome: 'none' }],
]

const closedConnection: ErrorClass = { code: 'MCP_SESSION_UNAVAILABLE', retryable: false, outcome: 'none' }

/** Names an error of better-sqlite3; `undefined` for anything else. */
export function classify(error: unknown): ErrorClass | undefined {
  if (isClosedConnection(error)) return closedConnection
  const code = sqliteCode(error)
  return code === undefined ? undefined : classes.find(([pattern]) => pattern.test(code))?.[1]
}

/** Whether a lock of another connection, or another use of this one, stands in the way: the same step may pass in a moment. */
export function isBusy(error: unknown): boolean {
  if (SessionError.is(error, 'MCP_SESSION_LOCKED') || isIterating(error)) return true
  return /^SQLITE_(BUSY|LOCKED|PROTOCOL)/.test(sqliteCode(error) ?? '')
}

/** Whether the disk, or the largest size of the file, has no room. */
export function isFull(error: unknown): boolean {
  return /^SQLITE_FULL/.test(sqliteCode(error) ?? '')
}

/** Whether one call's values are at fault, and not the engine. */
export function isDataError(error: unknown): boolean {
  if (error instanceof TypeError || error instanceof RangeError) return !isClosedConnection(error)
  return /^SQLITE_(TOOBIG|CONSTRAINT|MISMATCH)/.test(sqliteCode(error) ?? '')
}

/** What to throw when a lock outlasted a call. */
export function locked(cause: unknown): SessionError {
  if (SessionError.is(cause, 'MCP_SESSION_LOCKED')) return cause
  const message = isIterating(cause)
    ? 'The application has an iterator open on the SQLite connection it lent: finish it within its tick, or lend another connection'
    : 'Another process held the lock of the SQLite file beyond the deadline, nothing was written: keep its transactions short, or raise callTimeoutMs'
  return new SessionError('MCP_SESSION_LOCKED', message, { retryable: true, cause })
}

/** What to throw while the application is inside a transaction on the connection that it lent. */
export function inForeignTransaction(): SessionError {
  return new SessionError(
    'MCP_SESSION_LOCKED',
    'The application has a transaction open on the SQLite connection it lent: end it within its tick, or lend another connection',
    { retryable: true },
  )
}

/** What `open` throws: every known failure is typed there, and says what to do. Anything else goes on as it is. */
export function openFailure(failure: unknown, where: string): unknown {
  const error = SessionError.is(failure, 'MCP_SESSION_LOCKED') ? (failure.cause ?? failure) : failure
  if (SessionError.is(error)) return error
  const known = classify(error)
  if (known === undefined || known.code === 'MCP_SESSION_INTERNAL') return error
  return new SessionError(known.code, `${where} cannot be opened: ${remedy(sqliteCode(error) ?? '')}`, {
    retryable: known.retryable,
    cause: error,
  })
}

function remedy(code: string): string {
  if (/BUSY|LOCKED|PROTOCOL/.test(code)) return 'another process keeps it locked; end that process, or its exclusive locking mode'
  if (/READONLY|PERM|AUTH/.test(code)) return 'it is read-only for this process; give write permission on the file and its folder'
  if (/CANTOPEN/.test(code)) return 'give this process permission on the file and its folder, where SQLite keeps -wal and -shm files'
  if (/NOTADB/.test(code)) return 'it is not an SQLite database; choose another path, nothing in it was changed'
  if (/CORRUPT/.test(code)) return 'the database is damaged; restore a backup, or save what is left with the sqlite3 command .recover'
  if (/FULL/.test(code)) return 'the disk is full; make room'
  return `the engine fails with ${code === '' ? 'a closed connection' : code}; look at the cause`
}

/** The code of better-sqlite3's error, if it is one. */
function sqliteCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  return typeof error.code === 'string' && error.code.startsWith('SQLITE_') ? error.code : undefined
}

// The driver gives these two as a TypeError without a code.
function isClosedConnection(error: unknown): boolean {
  return error instanceof TypeError && error.message === 'The database connection is not open'
}

function isIterating(error: unknown): boolean {
  return error instanceof TypeError && error.message === 'This database connection is busy executing a query'
}
