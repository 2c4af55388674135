import { randomBytes } from 'node:crypto'
import { openSessions, type Sessions } from '@mcp-session/core'
import {
  type Call,
  type Retention,
  type SessionBackend,
  SessionError,
  type SessionErrorCode,
  type SessionRecord,
} from '@mcp-session/core/backend'
import { type Engine, postgresEngine } from '@mcp-session/test-engines'
import pg from 'pg'
import { afterAll, beforeAll, expect, onTestFinished } from 'vitest'
import { type PostgresBackendOptions, postgresBackend } from '../src/index.ts'

/** An instant long ago: no test depends on the clock of the machine. */
export const epoch = 1_000_000

/** One server for all tests of a file. */
export function engineOfFile(start: () => Promise<Engine> = postgresEngine): { readonly url: string; readonly engine: Engine } {
  let engine: Engine | undefined
  beforeAll(async () => {
    engine = await start()
  }, 120_000)
  afterAll(() => engine?.close())
  const started = (): Engine => {
    if (engine === undefined) throw new Error('the engine has not been started')
    return engine
  }
  return {
    get url() {
      return started().url
    },
    get engine() {
      return started()
    },
  }
}

/** The name of a schema that goes with the test. It is not made here. */
export function newSchema(url: string): string {
  const schema = `t_${randomBytes(8).toString('hex')}`
  onTestFinished(async () => {
    await sql(url, `DROP SCHEMA IF EXISTS ${schema} CASCADE`)
  })
  return schema
}

export async function opened(options: PostgresBackendOptions): Promise<SessionBackend> {
  const backend = postgresBackend(options)
  await backend.open()
  onTestFinished(() => backend.close())
  return backend
}

export interface Counter {
  readonly counter: number
}

/** A store of counters on a backend of its own, without sweeps. */
export async function openedSessions(options: PostgresBackendOptions, callTimeoutMs = 60_000): Promise<Sessions<Counter>> {
  const sessions = await openSessions<Counter>({ backend: postgresBackend(options), cleanupIntervalMs: 0, callTimeoutMs })
  onTestFinished(() => sessions.close())
  return sessions
}

/** A connection that goes around the backend. */
export async function rawClient(url: string): Promise<pg.Client> {
  const client = new pg.Client(url)
  client.on('error', () => {})
  await client.connect()
  onTestFinished(() => client.end())
  return client
}

/** One statement on a connection of its own; rows as arrays. */
export async function sql(url: string, text: string, values: readonly unknown[] = []): Promise<unknown[][]> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    const { rows } = await client.query<unknown[]>({ text, values: [...values], rowMode: 'array' })
    return rows
  } finally {
    await client.end()
  }
}

/** The same place, reached through another port of this host. */
export function throughPort(url: string, port: number): string {
  const other = new URL(url)
  other.hostname = '127.0.0.1'
  other.port = String(port)
  return other.href
}

export function call(now: number = epoch, withinMs = 30_000): Call {
  return { now, deadlineAt: performance.now() + withinMs }
}

export function newRecord(fields: Partial<SessionRecord> = {}): SessionRecord {
  return {
    id: `s_${randomBytes(16).toString('hex')}`,
    rev: randomBytes(8).toString('hex'),
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

export function successor(record: SessionRecord, fields: Partial<SessionRecord> = {}): SessionRecord {
  return { ...record, rev: randomBytes(8).toString('hex'), prevRev: record.rev, ...fields }
}

export const anyRetention: Retention = {
  maxEvents: Number.POSITIVE_INFINITY,
  maxAgeMs: Number.POSITIVE_INFINITY,
  maxBytes: Number.POSITIVE_INFINITY,
}

/** Expects a SessionError of that code and gives it. */
export async function failure(promise: Promise<unknown>, code: SessionErrorCode): Promise<SessionError> {
  const error = await rejection(promise)
  if (!SessionError.is(error)) throw new Error(`expected a SessionError, got ${String(error)}`, { cause: error })
  expect(error.code).toBe(code)
  return error
}

/** What a promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => {
      throw new Error(`expected a failure, got ${JSON.stringify(value)}`)
    },
    (reason: unknown) => reason,
  )
}
