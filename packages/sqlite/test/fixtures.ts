import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSessions, type Sessions } from '@mcp-session/core'
import {
  type Call,
  type Retention,
  type SessionBackend,
  SessionError,
  type SessionErrorCode,
  type SessionRecord,
} from '@mcp-session/core/backend'
import Database from 'better-sqlite3'
import { expect, onTestFinished } from 'vitest'
import { type SqliteBackendOptions, sqliteBackend } from '../src/index.ts'
import type { Counter } from './child.ts'

/** An instant long ago: no test depends on the clock of the machine. */
export const epoch = 1_000_000

let made = 0

/** A path in a folder of its own, which goes with the test. */
export function newPath(name = 'sessions.db'): string {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-session-sqlite-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, name)
}

export async function opened(options: SqliteBackendOptions): Promise<SessionBackend> {
  const backend = sqliteBackend(options)
  await backend.open()
  onTestFinished(() => backend.close())
  return backend
}

/** A store of counters on a backend of its own, without sweeps. */
export async function openedSessions(options: SqliteBackendOptions): Promise<Sessions<Counter>> {
  const sessions = await openSessions<Counter>({ backend: sqliteBackend(options), cleanupIntervalMs: 0, callTimeoutMs: 60_000 })
  onTestFinished(() => sessions.close())
  return sessions
}

/** A connection that goes around the backend. */
export function rawDatabase(path: string, options: Database.Options = {}): Database.Database {
  const database = new Database(path, options)
  onTestFinished(() => {
    database.close()
  })
  return database
}

export function call(now: number = epoch, withinMs = 10_000): Call {
  return { now, deadlineAt: performance.now() + withinMs }
}

export function newRecord(fields: Partial<SessionRecord> = {}): SessionRecord {
  made += 1
  return {
    id: `s_${made.toString().padStart(20, '0')}`,
    rev: `r${made}`,
    prevRev: null,
    owner: null,
    createdAt: epoch,
    lastAccessedAt: epoch,
    ttlMs: 60_000,
    mustEndAt: Number.POSITIVE_INFINITY,
    expiresAt: epoch + 60_000,
    data: '{}',
    ...fields,
  }
}

export const anyRetention: Retention = {
  maxEvents: Number.POSITIVE_INFINITY,
  maxAgeMs: Number.POSITIVE_INFINITY,
  maxBytes: Number.POSITIVE_INFINITY,
}

/** Expects a SessionError of that code and gives it. */
export async function failure(promise: Promise<unknown>, code: SessionErrorCode): Promise<SessionError> {
  const error: unknown = await promise.then(
    () => 'no error',
    (reason: unknown) => reason,
  )
  if (!SessionError.is(error)) throw new Error(`expected a SessionError, got ${String(error)}`, { cause: error })
  expect(error.code).toBe(code)
  return error
}
