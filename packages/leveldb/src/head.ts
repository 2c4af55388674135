import { crc32 } from 'node:zlib'
import { SessionError, type SessionRecord } from '@mcp-session/core/backend'
import { headKey } from './keys.ts'
import { seal, unsealItems } from './sealed.ts'

/** All of a record but its data, as it stands under a key of its own: a touch rewrites this and not the data. */
export interface Head extends Omit<SessionRecord, 'data'> {
  /** The instant of its expiry key: that deadline or an earlier one. `Infinity`: there is none. */
  readonly armedAt: number
  readonly dataCrc: number
  readonly dataBytes: number
}

export function headOf(record: SessionRecord, armedAt: number): Head {
  const { data, ...fields } = record
  // The spread comes last: V8 11 gives every object that goes on after a spread a hidden class of its own.
  return { armedAt, dataCrc: crc32(data), dataBytes: Buffer.byteLength(data), ...fields }
}

export function formatHead(head: Head): string {
  const { rev, prevRev, owner, createdAt, lastAccessedAt, ttlMs, mustEndAt, expiresAt, armedAt, dataCrc, dataBytes } = head
  // JSON makes null of Infinity.
  const items = [rev, prevRev, owner, createdAt, lastAccessedAt, ttlMs, mustEndAt, expiresAt, armedAt, dataCrc, dataBytes]
  return seal(headKey(head.id), JSON.stringify(items))
}

/** The head in a value; `undefined` where it is not what was written. */
export function parseHead(id: string, value: string): Head | undefined {
  const items = unsealItems(headKey(id), value)
  if (items === undefined) return undefined
  const [rev, prevRev, owner, createdAt, lastAccessedAt, ttlMs, mustEndAt, expiresAt, armedAt, dataCrc, dataBytes] = items
  return {
    id,
    rev: String(rev),
    prevRev: textOrNull(prevRev),
    owner: textOrNull(owner),
    createdAt: instant(createdAt),
    lastAccessedAt: instant(lastAccessedAt),
    ttlMs: instant(ttlMs),
    mustEndAt: instant(mustEndAt),
    expiresAt: instant(expiresAt),
    armedAt: instant(armedAt),
    dataCrc: Number(dataCrc),
    dataBytes: Number(dataBytes),
  }
}

/** As {@link parseHead}, where there may be none; `CORRUPT` if it is not what was written. */
export function headIn(id: string, value: string | undefined): Head | undefined {
  if (value === undefined) return undefined
  const head = parseHead(id, value)
  if (head === undefined) throw damaged(id)
  return head
}

/** Whether the data is what the head was written with. */
export function matches(head: Head, data: string | undefined): data is string {
  return data !== undefined && crc32(data) === head.dataCrc
}

export function withData(head: Head, data: string): SessionRecord {
  const { id, rev, prevRev, owner, createdAt, lastAccessedAt, ttlMs, mustEndAt, expiresAt } = head
  return { id, rev, prevRev, owner, createdAt, lastAccessedAt, ttlMs, mustEndAt, expiresAt, data }
}

/** What a listing gives for a session that is not what was written: an `expiresAt` that no record has, so that the store names it. */
export function damagedRecord(id: string, head: Head | undefined): SessionRecord {
  const nothing = { rev: '', prevRev: null, owner: null, createdAt: 0, lastAccessedAt: 0, ttlMs: 0, mustEndAt: 0, dataCrc: 0, dataBytes: 0 }
  return { ...withData(head ?? { id, armedAt: 0, expiresAt: 0, ...nothing }, ''), expiresAt: Number.NaN }
}

/** The typed error for a session that is not what was written. */
export function damaged(id: string): SessionError {
  return new SessionError(
    'MCP_SESSION_CORRUPT',
    `The stored session …${id.slice(-4)} in LevelDB does not match its checksum: delete it, and look at the disk`,
  )
}

function instant(item: unknown): number {
  return item === null ? Number.POSITIVE_INFINITY : Number(item)
}

function textOrNull(item: unknown): string | null {
  return item === null ? null : String(item)
}
