import type { Call, Retention, SessionBackend, SessionRecord } from '@mcp-session/core/backend'
import { type Engine, startRedis } from '@mcp-session/test-engines'
import { Redis } from 'ioredis'
import { afterAll, onTestFinished } from 'vitest'
import { type RedisBackendOptions, redisBackend } from '../src/index.ts'
import { keysOf } from '../src/keys.ts'

/** An instant long ago: no test depends on the clock of the machine. */
export const epoch = 1_000_000_000_000

export const keepAll: Retention = { maxEvents: 1_000, maxAgeMs: Number.POSITIVE_INFINITY, maxBytes: 1_000_000 }

let made = 0

/** A server for the tests of a file. */
export function sharedEngine(config: Readonly<Record<string, string>> = {}): () => Promise<Engine> {
  let engine: Promise<Engine> | undefined
  afterAll(async () => (await engine)?.close())
  return () => {
    engine ??= startRedis({ config })
    return engine
  }
}

export async function opened(options: RedisBackendOptions): Promise<SessionBackend> {
  const backend = redisBackend(options)
  await backend.open()
  onTestFinished(() => backend.close())
  return backend
}

/** A client that goes around the backend. */
export function rawClient(url: string): Redis {
  const client = new Redis(url)
  client.on('error', () => {})
  onTestFinished(() => client.disconnect())
  return client
}

export function call(now: number = epoch, withinMs = 20_000): Call {
  return { now, deadlineAt: performance.now() + withinMs }
}

export function newRecord(fields: Partial<SessionRecord> = {}): SessionRecord {
  made += 1
  const [lastAccessedAt, ttlMs, mustEndAt] = [
    fields.lastAccessedAt ?? epoch,
    fields.ttlMs ?? 3_600_000,
    fields.mustEndAt ?? Number.POSITIVE_INFINITY,
  ]
  return {
    id: `s_${made.toString().padStart(20, '0')}`,
    rev: `rev-${made}`,
    prevRev: null,
    owner: null,
    createdAt: epoch,
    lastAccessedAt,
    ttlMs,
    mustEndAt,
    expiresAt: Math.min(lastAccessedAt + ttlMs, mustEndAt),
    data: `{"n":${made}}`,
    ...fields,
  }
}

export async function stored(backend: SessionBackend, fields: Partial<SessionRecord> = {}): Promise<SessionRecord> {
  const record = newRecord(fields)
  if (!(await backend.create(record, call()))) throw new Error('the id is taken')
  return record
}

export function successor(record: SessionRecord, fields: Partial<SessionRecord> = {}): SessionRecord {
  const { expiresAt: _, ...rest } = record
  return newRecord({ ...rest, rev: `${newRecord().rev}-next`, prevRev: record.rev, ...fields })
}

/** All records of a listing. */
export async function listed(
  backend: SessionBackend,
  query: { owner?: string; limit?: number; now?: number } = {},
): Promise<SessionRecord[]> {
  const { now = epoch, limit = 100, ...rest } = query
  const records: SessionRecord[] = []
  let cursor: string | undefined
  do {
    const page = await backend.list({ ...rest, limit, ...(cursor === undefined ? {} : { cursor }) }, call(now))
    records.push(...page.records)
    cursor = page.cursor
  } while (cursor !== undefined)
  return records
}

export function keyOf(prefix: string, id: string): string {
  return keysOf(prefix).record(id)
}
