import { crc32 } from 'node:zlib'
import { SessionError, type SessionRecord } from '@mcp-session/core/backend'
import { digestLength, digestOf, unowned } from './keys.ts'

/**
 * A record is one string: a header in ASCII, which scripts patch in place, and the data. Positions, from 0:
 *
 *     0      format, `1`
 *     1      `E` if the session has events, else `-`
 *     2–25   lastAccessedAt: 16 digits, 8 hexadecimal digits of CRC-32
 *     26–49  expiresAt, likewise
 *     50–73  until when the owner's index keeps the session, likewise
 *     74–95  digest of the owner, or hyphens
 *     96–103 seed: CRC-32 of id and rev; the sums of both instants begin with it
 *     104–111 CRC-32, from the seed on, of the digest and the rest of the header
 *     112–   rev, prevRev, createdAt, ttlMs, mustEndAt, length of owner, each with a space after it; owner
 *
 * Each instant has a sum of its own, so that a touch, which knows neither owner nor data, can write one.
 */
const restAt = 112

/** Bytes of the longest header: 64 + 64 characters of revs, 1,024 bytes of owner, and what is between. */
export const maxHeadBytes = 1_400

/** Bytes at the start of a value that hold everything up to the rev. */
export const maxRevEnd: number = restAt + 65

/** "Never" as digits: 2⁵³, beyond all instants, exact as a number of Lua. */
const never = 9_007_199_254_740_992

/** Nobody's index keeps what nobody owns. */
const unownedField = armedField(unowned, String(never))

/** The value of a record. `armed`: until when its owner's index keeps it; absent where a script fills that in, or nobody owns it. */
export function valueOf(record: SessionRecord, armed: string = String(never)): string {
  const { id, rev, prevRev, owner, createdAt, lastAccessedAt, ttlMs, mustEndAt, expiresAt, data } = record
  const digest = owner === null ? unowned : digestOf(owner)
  const numbers = `${shortInstant(createdAt)} ${shortInstant(ttlMs)} ${shortInstant(mustEndAt)}`
  const rest = `${rev} ${prevRev === null ? '-' : `=${prevRev}`} ${numbers} ${owner === null ? '- ' : `${owner.length} ${owner}`}`
  const seed = seedOf(id, rev)
  const sums = `${hex(seed)}${hex(crc32(`${digest}${rest}`, seed))}`
  return `1-${instantField('l', lastAccessedAt, seed)}${instantField('x', expiresAt, seed)}${armedField(digest, armed)}${digest}${sums}${rest}${data}`
}

/** The fields that a touch writes. */
export function touchFields(id: string, rev: string, lastAccessedAt: number, expiresAt: number): readonly [string, string] {
  const seed = seedOf(id, rev)
  return [instantField('l', lastAccessedAt, seed), instantField('x', expiresAt, seed)]
}

export function armedField(digest: string, armed: string): string {
  return `${armed}${hex(crc32(`${digest}${armed}`))}`
}

/** Sixteen digits. */
export function instantText(instant: number): string {
  if (instant === Number.POSITIVE_INFINITY) return String(never)
  if (Number.isSafeInteger(instant) && instant >= 0) return String(instant).padStart(16, '0')
  throw new RangeError(`instants and durations must be safe integers from 0 on, or Infinity, got ${instant}`)
}

/** The record in a value, or in the first bytes of one (`data` is then cut off, too); `CORRUPT` if the header is not what was written. */
export function recordOf(id: string, value: string): SessionRecord {
  const record = readRecord(id, value)
  if (record !== undefined) return record
  throw damaged(id)
}

/** As {@link recordOf}, but a damaged record is given with an `expiresAt` that none has: so the store names it, and a page goes on. */
export function listedRecordOf(id: string, value: string): SessionRecord {
  const read = readRecord(id, value)
  if (read !== undefined) return read
  const rest = { prevRev: null, owner: null, createdAt: 0, lastAccessedAt: 0, ttlMs: 0, mustEndAt: 0, expiresAt: Number.NaN, data: '' }
  return { id, rev: value.slice(restAt, restAt + 64).split(' ', 1)[0] ?? '', ...rest }
}

/** The typed error for a value that is not what was written. */
export function damaged(id: string): SessionError {
  return new SessionError(
    'MCP_SESSION_CORRUPT',
    `The stored session …${id.slice(-4)} in Redis does not match its checksum: delete it, and find out what else writes to these keys`,
  )
}

function readRecord(id: string, value: string): SessionRecord | undefined {
  if (value[0] !== '1' || (value[1] !== '-' && value[1] !== 'E')) return undefined
  const parts: string[] = []
  let at = restAt
  while (parts.length < 6) {
    const end = value.indexOf(' ', at)
    if (end === -1) return undefined
    parts.push(value.slice(at, end))
    at = end + 1
  }
  const [rev = '', prevRev = '', createdAt = '', ttlMs = '', mustEndAt = '', ownerLength = ''] = parts
  const dataAt = ownerLength === '-' ? at : at + Number(ownerLength)
  const digest = value.slice(74, 74 + digestLength)
  const seed = seedOf(id, rev)
  if (value.slice(96, restAt) !== `${hex(seed)}${hex(crc32(`${digest}${value.slice(restAt, dataAt)}`, seed))}`) return undefined
  const [accessed, expires, armed] = [value.slice(2, 18), value.slice(26, 42), value.slice(50, 66)]
  if (value.slice(18, 26) !== instantSum('l', accessed, seed) || value.slice(42, 50) !== instantSum('x', expires, seed)) return undefined
  if (value.slice(50, 74) !== (digest === unowned ? unownedField : armedField(digest, armed))) return undefined
  return {
    id,
    rev,
    prevRev: prevRev === '-' ? null : prevRev.slice(1),
    owner: ownerLength === '-' ? null : value.slice(at, dataAt),
    createdAt: instantIn(createdAt),
    lastAccessedAt: instantIn(accessed),
    ttlMs: instantIn(ttlMs),
    mustEndAt: instantIn(mustEndAt),
    expiresAt: instantIn(expires),
    data: value.slice(dataAt),
  }
}

function seedOf(id: string, rev: string): number {
  return crc32(`${id}\0${rev}\0`)
}

function instantField(name: 'l' | 'x', instant: number, seed: number): string {
  const digits = instantText(instant)
  return `${digits}${instantSum(name, digits, seed)}`
}

function instantSum(name: 'l' | 'x', digits: string, seed: number): string {
  return hex(crc32(`${name}${digits}`, seed))
}

function shortInstant(instant: number): string {
  return instant === Number.POSITIVE_INFINITY ? '-' : String(Number(instantText(instant)))
}

function instantIn(text: string): number {
  const instant = text === '-' ? never : Number(text)
  return instant === never ? Number.POSITIVE_INFINITY : instant
}

function hex(sum: number): string {
  return sum.toString(16).padStart(8, '0')
}
