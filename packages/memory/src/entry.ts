import type { SessionRecord } from '@mcp-session/core/backend'
import type { Bucket } from './expiry-queue.ts'
import type { IdleNode } from './idle-queue.ts'
import type { Block } from './roster.ts'
import type { SessionLog } from './session-log.ts'

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/**
 * A stored record together with its places in the orders that this backend keeps, so that leaving each of them costs
 * O(1). Only copies of the record leave the package: a copy costs 25 ns, freezing one 60 ns.
 */
export interface Entry extends Mutable<SessionRecord> {
  /** Position in listings: grows with every entry, never reused. */
  serial: number
  /** Of the roster; undefined: not listed. */
  block: Block | undefined
  /** Neighbours among the entries of the same owner. */
  ownerPrevious: Entry | undefined
  ownerNext: Entry | undefined
  /** Of the expiry queue; undefined: never expires, or not filed. */
  bucket: Bucket | undefined
  bucketSlot: number
  /** Only where the backend evicts. */
  idle: IdleNode | undefined
  /** Its events; undefined: none yet. */
  log: SessionLog | undefined
}

export function entryOf(record: SessionRecord): Entry {
  return {
    id: record.id,
    rev: record.rev,
    prevRev: record.prevRev,
    owner: record.owner,
    createdAt: record.createdAt,
    lastAccessedAt: record.lastAccessedAt,
    ttlMs: record.ttlMs,
    mustEndAt: record.mustEndAt,
    expiresAt: record.expiresAt,
    data: record.data,
    serial: 0,
    block: undefined,
    ownerPrevious: undefined,
    ownerNext: undefined,
    bucket: undefined,
    bucketSlot: 0,
    idle: undefined,
    log: undefined,
  }
}

/** The record in an entry, as a copy that belongs to the caller. `data` is given where another text is wanted. */
export function recordOf(entry: Entry, data: string = entry.data): SessionRecord {
  return {
    id: entry.id,
    rev: entry.rev,
    prevRev: entry.prevRev,
    owner: entry.owner,
    createdAt: entry.createdAt,
    lastAccessedAt: entry.lastAccessedAt,
    ttlMs: entry.ttlMs,
    mustEndAt: entry.mustEndAt,
    expiresAt: entry.expiresAt,
    data,
  }
}
