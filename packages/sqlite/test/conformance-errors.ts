import type { DriverError } from '@mcp-session/conformance'
import Database from 'better-sqlite3'

/** SQLite's result codes (https://sqlite.org/rescode.html) as better-sqlite3 throws them, and what a store has to make of each. */
export const driverErrors: readonly DriverError[] = [
  ...failing(
    ['SQLITE_BUSY', 'SQLITE_BUSY_RECOVERY', 'SQLITE_BUSY_SNAPSHOT', 'SQLITE_BUSY_TIMEOUT', 'SQLITE_LOCKED', 'SQLITE_LOCKED_SHAREDCACHE'],
    'LOCKED',
    true,
  ),
  ...failing(['SQLITE_FULL'], 'LIMIT', true),
  ...failing(
    ['SQLITE_IOERR', 'SQLITE_IOERR_READ', 'SQLITE_IOERR_SHORT_READ', 'SQLITE_IOERR_WRITE', 'SQLITE_IOERR_FSYNC', 'SQLITE_IOERR_SHMSIZE'],
    'UNAVAILABLE',
    true,
    'unknown',
  ),
  ...failing(['SQLITE_CORRUPT', 'SQLITE_CORRUPT_INDEX', 'SQLITE_NOTADB'], 'CORRUPT', false),
  ...failing(['SQLITE_READONLY', 'SQLITE_READONLY_DBMOVED', 'SQLITE_PERM'], 'UNAVAILABLE', false),
  ...failing(['SQLITE_CANTOPEN', 'SQLITE_CANTOPEN_ISDIR', 'SQLITE_NOMEM', 'SQLITE_INTERRUPT'], 'UNAVAILABLE', true),
  ...failing(['SQLITE_TOOBIG'], 'TOO_LARGE', false),
  { name: 'an error of nobody knows whom', error: new Error('boom'), expected: undefined },
]

function failing(
  codes: readonly string[],
  code: 'CORRUPT' | 'LIMIT' | 'LOCKED' | 'TOO_LARGE' | 'UNAVAILABLE',
  retryable: boolean,
  outcome: 'none' | 'unknown' = 'none',
): DriverError[] {
  return codes.map((name) => ({
    name,
    error: new Database.SqliteError(`made by the test: ${name}`, name),
    expected: { code: `MCP_SESSION_${code}`, retryable, outcome },
  }))
}
