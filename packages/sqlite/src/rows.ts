import { crc32 } from 'node:zlib'
import { knownAt, SessionError, type SessionRecord } from '@mcp-session/core/backend'

/** "Never" in a column of instants: beyond all of them, so that comparisons stay plain. Exact as a number in JavaScript and in SQL. */
export const never = 9_007_199_254_740_992

/** The parameters of an insert or replace. */
export interface RecordParameters {
  readonly id: string
  readonly rev: string
  readonly prevRev: string | null
  readonly owner: string | null
  readonly createdAt: number
  readonly lastAccessedAt: number
  readonly ttlMs: number
  readonly mustEndAt: number
  readonly expiresAt: number
  readonly headCrc: number
  readonly data: string
}

/** What a write looks at before it writes. */
export interface Standing {
  readonly seq: number
  readonly rev: unknown
  readonly expiresAt: number
  /** Whether the row's numbers are those that were written. */
  readonly intact: boolean
}

export function parametersOf(record: SessionRecord): RecordParameters {
  return {
    id: record.id,
    rev: record.rev,
    prevRev: record.prevRev,
    owner: record.owner,
    createdAt: storedInstant(record.createdAt),
    lastAccessedAt: storedInstant(record.lastAccessedAt),
    ttlMs: storedInstant(record.ttlMs),
    mustEndAt: storedInstant(record.mustEndAt),
    expiresAt: storedInstant(record.expiresAt),
    headCrc: headCrc(record),
    data: record.data,
  }
}

export function storedInstant(instant: number): number {
  return instant === Number.POSITIVE_INFINITY ? never : instant
}

/** The record in a row; `CORRUPT` if anything in it but `data` is not what was written. `data` has a checksum of the store's. */
export function recordOf(row: unknown): SessionRecord {
  const record = readRecord(row)
  if (record === undefined) throw damaged(columnsOf(row)['id'])
  return record
}

/** A known record with the instants of a row; `undefined` where the row has another rev, or is not what was written. */
export function knownRecordOf(row: unknown, known: SessionRecord): SessionRecord | undefined {
  const columns = columnsOf(row)
  const lastAccessedAt = instantIn(columns['last_accessed_at'])
  const expiresAt = instantIn(columns['expires_at'])
  if (columns['rev'] !== known.rev || columns['intact'] !== 1 || lastAccessedAt === undefined || expiresAt === undefined) return undefined
  return knownAt(known, lastAccessedAt, expiresAt)
}

/** As {@link recordOf}, but a damaged row is given with an `expiresAt` that no record has: so the store names it, and a page goes on. */
export function listedRecordOf(row: unknown): SessionRecord {
  const record = readRecord(row)
  if (record !== undefined) return record
  const { id, rev, owner } = columnsOf(row)
  return {
    id: typeof id === 'string' ? id : '',
    rev: typeof rev === 'string' ? rev : '',
    prevRev: null,
    owner: typeof owner === 'string' ? owner : null,
    createdAt: 0,
    lastAccessedAt: 0,
    ttlMs: 0,
    mustEndAt: 0,
    expiresAt: Number.NaN,
    data: '',
  }
}

export function standingOf(row: unknown): Standing | undefined {
  if (row === undefined) return undefined
  const { seq, rev, expires_at, intact } = columnsOf(row)
  const expiresAt = instantIn(expires_at)
  return { seq: Number(seq), rev, expiresAt: expiresAt ?? Number.NaN, intact: intact === 1 && isInteger(seq) && expiresAt !== undefined }
}

/** The typed error for a row that is not what was written. */
export function damaged(id: unknown): SessionError {
  const name = typeof id === 'string' ? `…${id.slice(-4)} ` : ''
  return new SessionError(
    'MCP_SESSION_CORRUPT',
    `The stored session ${name}in SQLite does not match its checksum: delete it, and check the file with PRAGMA integrity_check`,
  )
}

/** The columns of a row by name, types unknown: a damaged file may hold anything anywhere. */
export function columnsOf(row: unknown): Record<string, unknown> {
  return row as Record<string, unknown>
}

export function isInteger(value: unknown): value is number {
  return Number.isSafeInteger(value)
}

function readRecord(row: unknown): SessionRecord | undefined {
  const columns = columnsOf(row)
  const { id, rev, prev_rev: prevRev, owner, data } = columns
  const createdAt = instantIn(columns['created_at'])
  const lastAccessedAt = instantIn(columns['last_accessed_at'])
  const ttlMs = instantIn(columns['ttl_ms'])
  const mustEndAt = instantIn(columns['must_end_at'])
  const expiresAt = instantIn(columns['expires_at'])
  if (typeof id !== 'string' || typeof rev !== 'string' || typeof data !== 'string') return undefined
  if (!isTextOrNull(prevRev) || !isTextOrNull(owner)) return undefined
  if (createdAt === undefined || lastAccessedAt === undefined || ttlMs === undefined) return undefined
  if (mustEndAt === undefined || expiresAt === undefined || columns['intact'] !== 1) return undefined
  const record = { id, rev, prevRev, owner, createdAt, lastAccessedAt, ttlMs, mustEndAt, expiresAt, data }
  return columns['head_crc'] === headCrc(record) ? record : undefined
}

function instantIn(value: unknown): number | undefined {
  if (value === never) return Number.POSITIVE_INFINITY
  return isInteger(value) ? value : undefined
}

function isTextOrNull(value: unknown): value is string | null {
  return value === null || typeof value === 'string'
}

/** Of the texts beside `data`. None of them holds a NUL, so no two records share this spelling. */
function headCrc({ id, rev, prevRev, owner }: Pick<SessionRecord, 'id' | 'rev' | 'prevRev' | 'owner'>): number {
  return crc32(`${id}\0${rev}\0${prevRev ?? ''}\0${owner === null ? '' : `=${owner}`}`)
}
