import type { SessionBackend, SessionRecord } from './backend.ts'
import type { Calls } from './calls.ts'
import type { Changes } from './changes.ts'
import type { Clock } from './clock.ts'
import { expiryOf } from './expiry.ts'
import type { Meter } from './meter.ts'
import type { CheckedOptions } from './options.ts'
import type { RecordHeader, Snapshots } from './snapshots.ts'
import type { Touches } from './touches.ts'
import type { Turns } from './turns.ts'

/** What the methods of a store are made of. */
export interface StoreParts<M> {
  readonly options: CheckedOptions<M>
  readonly backend: SessionBackend
  readonly clock: Clock
  readonly meter: Meter
  readonly calls: Calls
  readonly snapshots: Snapshots<M>
  readonly touches: Touches
  readonly changes: Changes
  readonly turns: Turns
  readonly mintId: () => string
  readonly mintRev: () => string
  /** A write that nobody waits for: its failure goes to `onError`, and `close` waits for it. */
  readonly inBackground: (work: Promise<unknown>) => void
}

/** Runs a method of the session API: measured, and waited for by `close`. */
export type Method = <T>(operation: string, run: () => Promise<T>) => Promise<T>

/** The header of what replaces a record: under a rev of its own, and accessed at `now`. */
export function successorOf(
  { id, rev, owner, createdAt, lastAccessedAt, ttlMs, mustEndAt }: SessionRecord,
  now: number,
  newRev: string,
): RecordHeader {
  const at = Math.max(lastAccessedAt, now)
  const expiresAt = expiryOf(at, ttlMs, mustEndAt)
  return { id, rev: newRev, prevRev: rev, owner, createdAt, lastAccessedAt: at, ttlMs, mustEndAt, expiresAt }
}
