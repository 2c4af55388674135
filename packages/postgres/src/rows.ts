import { crc32 } from 'node:zlib'
import { SessionError, type SessionRecord } from '@mcp-session/core/backend'
import { never } from './check-sum.ts'
import type { Row } from './wire.ts'

/** What is known of a row that a write has not changed. */
export interface Standing {
  readonly record: SessionRecord
  readonly intact: boolean
}

export function storedInstant(instant: number): number {
  return instant === Number.POSITIVE_INFINITY ? never : instant
}

/** A bound of instants that may be infinite either way, or between milliseconds. */
export function storedBound(instant: number): number {
  return Math.max(-never, Math.min(never, Math.ceil(instant)))
}

/** Of the record's fields that a touch leaves alone, `data` excepted, which has a checksum of the store's. No text holds a NUL. */
export function headCrc({ id, rev, prevRev, owner, createdAt, ttlMs, mustEndAt }: SessionRecord): number {
  const numbers = `${storedInstant(createdAt)}\0${storedInstant(ttlMs)}\0${storedInstant(mustEndAt)}`
  return crc32(`${id}\0${rev}\0${prevRev ?? ''}\0${owner === null ? '' : `=${owner}`}\0${numbers}`)
}

/**
 * The columns of a record, from column `first` of the row on: see `recordColumns`. Where the engine has left `data` out, since the rev is
 * that of `known`, it is taken from there; where nothing else has changed either, `known` is the record.
 */
export function standingIn(row: Row, first: number, known?: SessionRecord): Standing {
  const text = (column: number) => row[first + column] ?? ''
  const prevRev = row[first + 2] ?? null
  const isKnown = row[first + 11] === null && known !== undefined
  const record: SessionRecord = {
    id: text(0),
    rev: text(1),
    // After `create` a record has none, and no rev is empty.
    prevRev,
    owner: row[first + 3] ?? null,
    createdAt: instantIn(text(4)),
    lastAccessedAt: instantIn(text(5)),
    ttlMs: instantIn(text(6)),
    mustEndAt: instantIn(text(7)),
    expiresAt: instantIn(text(8)),
    data: isKnown ? known.data : text(11),
  }
  const intact = text(10) === 't' && Number(text(9)) === headCrc(record) && prevRev !== ''
  const isSame = isKnown && known.lastAccessedAt === record.lastAccessedAt && known.expiresAt === record.expiresAt
  return { record: isSame ? known : record, intact }
}

/** As a listing gives a damaged row: with an `expiresAt` that no record has, so that the store names it and the page goes on. */
export function listedRecord({ record, intact }: Standing): SessionRecord {
  return intact ? record : { ...record, expiresAt: Number.NaN, data: '' }
}

/** The typed error for a row that is not what was written. */
export function damaged(id: string): SessionError {
  return new SessionError(
    'MCP_SESSION_CORRUPT',
    `The stored session …${id.slice(-4)} in postgres does not match its checksum: delete it, and check the database with pg_amcheck`,
  )
}

/** As text: what lies beyond the safe integers would be rounded, to `never` at worst. */
function instantIn(text: string): number {
  if (text === String(never)) return Number.POSITIVE_INFINITY
  const instant = Number(text)
  return Number.isSafeInteger(instant) ? instant : Number.NaN
}
