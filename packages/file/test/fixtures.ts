import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type Call,
  type Retention,
  type SessionBackend,
  SessionError,
  type SessionErrorCode,
  type SessionRecord,
} from '@mcp-session/core/backend'
import { expect, onTestFinished } from 'vitest'
import type { FileBackendOptions } from '../src/index.ts'
import { type Disk, defaultTuning, fileBackendOn, nodeDisk, type Tuning } from '../src/internal.ts'

/** An instant long ago: no test depends on the clock of the machine. */
export const epoch = 1_000_000

/** So small that a few dozen writes begin new segments and compact old ones. */
export const small: Tuning = { segmentBytes: 4_096, allocateBytes: 1_024, reserveBytes: 512, sliceBytes: 512, syncAfterMs: 1 }

/** A folder that is not there yet; it goes with the test. */
export function newPath(): string {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-session-file-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'sessions')
}

/** An open backend that is closed with the test. */
export async function opened(
  options: FileBackendOptions,
  tuning: Tuning = defaultTuning,
  disk: Disk = nodeDisk(),
): Promise<SessionBackend> {
  const backend = fileBackendOn(disk, tuning, options)
  await backend.open()
  onTestFinished(() => backend.close())
  return backend
}

export function call(now: number = epoch): Call {
  return { now, deadlineAt: performance.now() + 20_000 }
}

let made = 0

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
export async function failed(promise: Promise<unknown>, code: SessionErrorCode): Promise<SessionError> {
  const error: unknown = await promise.then(
    () => 'no error',
    (reason: unknown) => reason,
  )
  if (!SessionError.is(error)) throw new Error(`expected a SessionError, got ${String(error)}`, { cause: error })
  expect(error.code).toBe(code)
  return error
}
