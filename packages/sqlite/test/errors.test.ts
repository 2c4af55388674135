import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { sqliteBackend } from '../src/index.ts'

const backend = sqliteBackend({ path: ':memory:' })

describe('classify', () => {
  it.each([
    ['SQLITE_BUSY', 'MCP_SESSION_LOCKED', true, 'none'],
    ['SQLITE_BUSY_SNAPSHOT', 'MCP_SESSION_LOCKED', true, 'none'],
    ['SQLITE_BUSY_RECOVERY', 'MCP_SESSION_LOCKED', true, 'none'],
    ['SQLITE_LOCKED_SHAREDCACHE', 'MCP_SESSION_LOCKED', true, 'none'],
    ['SQLITE_PROTOCOL', 'MCP_SESSION_LOCKED', true, 'none'],
    ['SQLITE_FULL', 'MCP_SESSION_LIMIT', true, 'none'],
    ['SQLITE_IOERR', 'MCP_SESSION_UNAVAILABLE', true, 'unknown'],
    ['SQLITE_IOERR_FSYNC', 'MCP_SESSION_UNAVAILABLE', true, 'unknown'],
    ['SQLITE_CORRUPT', 'MCP_SESSION_CORRUPT', false, 'none'],
    ['SQLITE_CORRUPT_INDEX', 'MCP_SESSION_CORRUPT', false, 'none'],
    ['SQLITE_NOTADB', 'MCP_SESSION_CORRUPT', false, 'none'],
    ['SQLITE_READONLY', 'MCP_SESSION_UNAVAILABLE', false, 'none'],
    ['SQLITE_READONLY_DBMOVED', 'MCP_SESSION_UNAVAILABLE', false, 'none'],
    ['SQLITE_PERM', 'MCP_SESSION_UNAVAILABLE', false, 'none'],
    ['SQLITE_AUTH', 'MCP_SESSION_UNAVAILABLE', false, 'none'],
    ['SQLITE_CANTOPEN', 'MCP_SESSION_UNAVAILABLE', true, 'none'],
    ['SQLITE_CANTOPEN_ISDIR', 'MCP_SESSION_UNAVAILABLE', true, 'none'],
    ['SQLITE_NOMEM', 'MCP_SESSION_UNAVAILABLE', true, 'none'],
    ['SQLITE_INTERRUPT', 'MCP_SESSION_UNAVAILABLE', true, 'none'],
    ['SQLITE_ABORT_ROLLBACK', 'MCP_SESSION_UNAVAILABLE', true, 'none'],
    ['SQLITE_SCHEMA', 'MCP_SESSION_UNAVAILABLE', true, 'none'],
    ['SQLITE_TOOBIG', 'MCP_SESSION_TOO_LARGE', false, 'none'],
    ['SQLITE_NOLFS', 'MCP_SESSION_LIMIT', false, 'none'],
    ['SQLITE_ERROR', 'MCP_SESSION_INTERNAL', false, 'none'],
    ['SQLITE_CONSTRAINT_UNIQUE', 'MCP_SESSION_INTERNAL', false, 'none'],
    ['SQLITE_MISMATCH', 'MCP_SESSION_INTERNAL', false, 'none'],
  ])('names %s as %s', (code, expected, retryable, outcome) => {
    expect(backend.classify(new Database.SqliteError('text', code))).toEqual({ code: expected, retryable, outcome })
  })

  it('knows nothing of other errors', () => {
    for (const error of [
      new Error('x'),
      new TypeError('x'),
      Object.assign(new Error('x'), { code: 'ECONNREFUSED' }),
      'SQLITE_BUSY',
      null,
    ]) {
      expect(backend.classify(error)).toBeUndefined()
    }
  })
})
