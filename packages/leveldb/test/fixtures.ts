import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type Call,
  type EventLog,
  type Retention,
  type SessionBackend,
  SessionError,
  type SessionErrorCode,
  type SessionRecord,
} from '@mcp-session/core/backend'
import { ClassicLevel } from 'classic-level'
import { expect, onTestFinished } from 'vitest'
import { type LeveldbBackendOptions, leveldbBackend } from '../src/index.ts'

/** An instant long ago: no test depends on the clock of the machine. */
export const epoch = 1_000_000

let made = 0

/** A folder of its own, which goes with the test. */
export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-session-leveldb-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export async function opened(options: LeveldbBackendOptions): Promise<SessionBackend> {
  const backend = leveldbBackend(options)
  await backend.open()
  onTestFinished(() => backend.close())
  return backend
}

/** A database of the application. */
export async function lentLevel(path: string = newFolder()): Promise<ClassicLevel> {
  const db = new ClassicLevel(path)
  await db.open()
  onTestFinished(() => db.close())
  return db
}

/** Looks at a closed store, or changes it, around the backend. */
export async function around<T>(path: string, step: (db: ClassicLevel) => Promise<T>): Promise<T> {
  const db = new ClassicLevel(path)
  try {
    return await step(db)
  } finally {
    await db.close()
  }
}

export function eventsOf(backend: SessionBackend): EventLog {
  if (backend.events !== undefined) return backend.events
  throw new Error('no event log')
}

export function call(now: number = epoch, withinMs = 20_000): Call {
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
