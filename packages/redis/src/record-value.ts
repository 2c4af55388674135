import { knownAt, SessionError, type SessionRecord } from '@mcp-session/core/backend'
import { digestOf, unowned } from './keys.ts'
import { sumIn, sumOf, sumOfPart, sumText } from './sums.ts'

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
const accessedAt = 2
const expiresAtAt = 26
const armedAt = 50
const digestAt = 74
const seedAt = 96
const restAt = 112

/** Bytes of the longest header: 64 + 64 characters of revs, 1,024 bytes of owner, and what is between. */
export const maxHeadBytes = 1_400

/** Bytes at the start of a value that hold everything up to the rev. */
export const maxRevEnd: number = restAt + 65

/** What a read gives of a value whose rev is known: from here on so many bytes, all up to and with the seed. */
export const standingAt = 2
export const standingBytes = 102

/** These bytes, somewhere in a text. */
export interface Standing {
  readonly text: string
  readonly at: number
}

/** "Never" as digits: 2⁵³, beyond all instants, exact as a number of Lua. */
const never = 9_007_199_254_740_992

/** Nobody's index keeps what nobody owns. */
const unownedField = armedField(unowned, String(never))
const unownedStanding = `${unownedField}${unowned}`

/** The value of a record, header and data. `armed`: until when its owner's index keeps it; absent where a script fills that in, or nobody owns it. */
export function valueOf(record: SessionRecord, armed: string = String(never)): readonly [header: string, data: string] {
  const { id, rev, prevRev, owner, createdAt, lastAccessedAt, ttlMs, mustEndAt, expiresAt, data } = record
  if (typeof data !== 'string') throw new TypeError(`data must be a string, got ${typeof data}`)
  const digest = owner === null ? unowned : digestOf(owner)
  const numbers = `${shortInstant(createdAt)} ${shortInstant(ttlMs)} ${shortInstant(mustEndAt)}`
  const rest = `${rev} ${prevRev === null ? '-' : `=${prevRev}`} ${numbers} ${owner === null ? '- ' : `${owner.length} ${owner}`}`
  const seed = seedOf(id, rev)
  const armedText = owner === null ? unownedField : armedField(digest, armed)
  const instants = `${instantField('l', lastAccessedAt, seed)}${instantField('x', expiresAt, seed)}`
  return [`1-${instants}${armedText}${digest}${sumText(seed)}${sumText(sumOf(`${digest}${rest}`, seed))}${rest}`, data]
}

/** The fields that a touch writes. */
export function touchFields(id: string, rev: string, lastAccessedAt: number, expiresAt: number): readonly [string, string] {
  const seed = seedOf(id, rev)
  return [instantField('l', lastAccessedAt, seed), instantField('x', expiresAt, seed)]
}

export function armedField(digest: string, armed: string): string {
  return `${armed}${sumText(sumOf(`${digest}${armed}`))}`
}

/** Sixteen digits. */
export function instantText(instant: number): string {
  return instant === Number.POSITIVE_INFINITY ? String(never) : checked(instant).padStart(16, '0')
}

function checked(instant: number): string {
  if (Number.isSafeInteger(instant) && instant >= 0) return String(instant)
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

/** `known`, as it stands now; `CORRUPT` if it stands otherwise than known, and that is not what was written. */
export function knownRecordOf(known: SessionRecord, { text, at }: Standing): SessionRecord {
  const start = at - standingAt
  const record = knownAt(known, instantAt(text, start + accessedAt), instantAt(text, start + expiresAtAt))
  // Where nothing is new there is nothing to prove: the sums were a tenth of such a read.
  if (record === known) return known
  const seed = seedOf(known.id, known.rev)
  if (sumIn(text, start + seedAt) !== seed || !isSound(text, start, seed)) throw damaged(known.id)
  return record
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
  const seed = seedOf(id, rev)
  if (sumIn(value, seedAt) !== seed || !isSound(value, 0, seed)) return undefined
  const digestSum = sumOfPart(value, digestAt, seedAt, seed)
  if (digestSum < 0 || sumIn(value, seedAt + 8) !== sumOf(value.slice(restAt, dataAt), digestSum)) return undefined
  return {
    id,
    rev,
    prevRev: prevRev === '-' ? null : prevRev.slice(1),
    owner: ownerLength === '-' ? null : value.slice(at, dataAt),
    createdAt: instantIn(createdAt),
    lastAccessedAt: instantAt(value, accessedAt),
    ttlMs: instantIn(ttlMs),
    mustEndAt: instantIn(mustEndAt),
    expiresAt: instantAt(value, expiresAtAt),
    data: value.slice(dataAt),
  }
}

/** Whether the three instants of a value that begins at `start` have their sums. */
function isSound(text: string, start: number, seed: number): boolean {
  return isInstant('l', text, start + accessedAt, seed) && isInstant('x', text, start + expiresAtAt, seed) && isArmedAt(text, start)
}

function isInstant(name: 'l' | 'x', text: string, at: number, seed: number): boolean {
  return sumIn(text, at + 16) === sumOfPart(text, at, at + 16, sumOf(name, seed))
}

function isArmedAt(text: string, start: number): boolean {
  if (text.startsWith(unownedStanding, start + armedAt)) return true
  const digest = sumOfPart(text, start + digestAt, start + seedAt)
  if (digest < 0 || text.startsWith(unowned, start + digestAt)) return false
  return sumIn(text, start + armedAt + 16) === sumOfPart(text, start + armedAt, start + armedAt + 16, digest)
}

function seedOf(id: string, rev: string): number {
  return sumOf('\0', sumOf(rev, sumOf('\0', sumOf(id))))
}

function instantField(name: 'l' | 'x', instant: number, seed: number): string {
  const digits = instantText(instant)
  return `${digits}${sumText(sumOf(digits, sumOf(name, seed)))}`
}

function shortInstant(instant: number): string {
  return instant === Number.POSITIVE_INFINITY ? '-' : checked(instant)
}

function instantIn(text: string): number {
  const instant = text === '-' ? never : Number(text)
  return instant === never ? Number.POSITIVE_INFINITY : instant
}

/** Of sixteen digits; their sum says that they are digits. */
function instantAt(text: string, at: number): number {
  let instant = 0
  for (let n = at; n < at + 16; n += 1) instant = instant * 10 + (text.charCodeAt(n) - 48)
  return instant === never ? Number.POSITIVE_INFINITY : instant
}
