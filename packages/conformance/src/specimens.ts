import type { NewEvent, SessionRecord } from '@mcp-session/core/backend'
import type { Random } from './random.ts'

/** Fields of a record; `expiresAt` follows from the others unless it is given. */
export type RecordFields = Partial<SessionRecord>

/** A record as a store would make it: an hour to live, unowned. */
export function aRecord(random: Random, now: number, fields: RecordFields = {}): SessionRecord {
  return lasting({
    id: `s_${random.hex(24)}`,
    rev: random.hex(16),
    prevRev: null,
    owner: null,
    createdAt: now,
    lastAccessedAt: now,
    ttlMs: 3_600_000,
    mustEndAt: Number.POSITIVE_INFINITY,
    data: `{"n":${random.integer(1_000_000)}}`,
    ...fields,
  })
}

/** What a replace of `record` writes. */
export function successor(random: Random, record: SessionRecord, fields: RecordFields = {}): SessionRecord {
  const { expiresAt: _, ...rest } = record
  return lasting({ ...rest, rev: random.hex(16), prevRev: record.rev, data: `{"n":${random.integer(1_000_000)}}`, ...fields })
}

export function anEvent(random: Random, fields: Partial<NewEvent> = {}): NewEvent {
  return { key: random.hex(20), stream: 'main', data: `{"event":${random.integer(1_000_000)}}`, ...fields }
}

type Timed = Omit<SessionRecord, 'expiresAt'> & { readonly expiresAt?: number }

/** With `expiresAt` = min(lastAccessedAt + ttlMs, mustEndAt), and sums beyond the safe integers as `Infinity`. */
function lasting(fields: Timed): SessionRecord {
  const sum = fields.lastAccessedAt + fields.ttlMs
  const idleEnd = sum > Number.MAX_SAFE_INTEGER ? Number.POSITIVE_INFINITY : sum
  return { ...fields, expiresAt: fields.expiresAt ?? Math.min(idleEnd, fields.mustEndAt) }
}
