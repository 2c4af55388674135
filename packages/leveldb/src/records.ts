import { isExpired, knownAt, type ReplaceResult, type SessionRecord, type Touch, type TouchResult } from '@mcp-session/core/backend'
import { type LevelDatabase, utf8 } from './driver.ts'
import { damaged, type Head, headOf, matches, parseHead, withData } from './head.ts'
import { dataKey, eventRanges, expiryKey, headKey, logKey, ownerKey } from './keys.ts'
import type { CachedSession, SessionCache } from './session-cache.ts'
import type { StagedWrites } from './staged-writes.ts'

/** The steps on records. They run in the write lane, one after the other, and find a damaged session before they stage anything. */
export interface RecordSteps {
  create(staged: StagedWrites, record: SessionRecord, now: number): Promise<boolean>
  replace(staged: StagedWrites, record: SessionRecord, expectedRev: string, now: number): Promise<ReplaceResult>
  touch(staged: StagedWrites, touch: Touch, now: number): Promise<TouchResult>
  delete(staged: StagedWrites, id: string, expectedRev: string | undefined, now: number): Promise<boolean>
}

export const recordSteps: RecordSteps = { create, replace, touch, delete: deleteRecord }

async function create(staged: StagedWrites, record: SessionRecord, now: number): Promise<boolean> {
  const known = staged.head(record.id)
  if (known !== undefined && !isExpired(known, now)) return false
  if (known !== undefined) await removeSession(staged, record.id, known)
  store(staged, record, undefined)
  return true
}

async function replace(staged: StagedWrites, record: SessionRecord, expectedRev: string, now: number): Promise<ReplaceResult> {
  const known = liveHead(staged, record.id, now)
  if (known === undefined) return { replaced: false, current: undefined }
  if (known.rev !== expectedRev) return { replaced: false, current: currentOf(staged, known) }
  store(staged, record, known)
  return { replaced: true }
}

async function touch(staged: StagedWrites, touch: Touch, now: number): Promise<TouchResult> {
  const known = liveHead(staged, touch.id, now)
  if (known === undefined) return 'missing'
  if (known.rev !== touch.rev) return 'moved'
  const lastAccessedAt = Math.max(known.lastAccessedAt, touch.lastAccessedAt)
  const expiresAt = Math.max(known.expiresAt, touch.expiresAt)
  if (lastAccessedAt === known.lastAccessedAt && expiresAt === known.expiresAt) return 'touched'
  // The expiry key stays at its earlier instant: the sweep moves it, once a window and not once an access.
  staged.putHead({ ...known, lastAccessedAt, expiresAt })
  return 'touched'
}

/** A damaged session must not stay for ever: whoever asks for its end gets it. */
async function deleteRecord(staged: StagedWrites, id: string, expectedRev: string | undefined, now: number): Promise<boolean> {
  const value = staged.get(headKey(id))
  if (value === undefined) return false
  const known = parseHead(id, value)
  if (known === undefined && expectedRev !== undefined) throw damaged(id)
  if (known !== undefined && (isExpired(known, now) || (expectedRev !== undefined && known.rev !== expectedRev))) return false
  await removeSession(staged, id, known)
  return true
}

/** The live record. Where it is not cached, LevelDB may have to read a block from disk for it. */
export function getRecord(
  database: LevelDatabase,
  cache: SessionCache,
  id: string,
  now: number,
  known: SessionRecord | undefined,
): SessionRecord | undefined {
  const { head, data } = cache.get(id) ?? readSession(database, cache, id) ?? {}
  if (head === undefined || data === undefined || isExpired(head, now)) return undefined
  return known?.rev === head.rev ? knownAt(known, head.lastAccessedAt, head.expiresAt) : withData(head, data)
}

function readSession(database: LevelDatabase, cache: SessionCache, id: string): CachedSession | undefined {
  let value = database.getSync(headKey(id), utf8)
  while (value !== undefined) {
    const head = parseHead(id, value)
    if (head === undefined) throw damaged(id)
    const data = database.getSync(dataKey(id), utf8)
    if (matches(head, data)) {
      cache.add(head, data)
      return { head, data }
    }
    // A batch may have come between the two looks, on another thread. Then the head is another one.
    const again = database.getSync(headKey(id), utf8)
    if (again === value) throw damaged(id)
    value = again
  }
  return undefined
}

/** Removes a session with its events. Without its head its keys in the indexes stay, naming a session that is not there. */
export async function removeSession(staged: StagedWrites, id: string, head: Head | undefined): Promise<void> {
  // Only a session with a log has events: most have none, and pay for one look.
  if (staged.get(logKey(id)) !== undefined) {
    staged.remove(logKey(id))
    for (const { gte, lt } of eventRanges(id)) for (const key of await staged.keys(gte, lt)) staged.remove(key)
  }
  staged.remove(headKey(id))
  staged.remove(dataKey(id))
  if (head !== undefined && head.owner !== null) staged.remove(ownerKey(head.owner, id))
  if (head !== undefined && head.armedAt !== Number.POSITIVE_INFINITY) staged.remove(expiryKey(head.armedAt, id))
}

/** The head of a live session; `CORRUPT` if it is not what was written. */
export function liveHead(staged: StagedWrites, id: string, now: number): Head | undefined {
  const head = staged.head(id)
  return head === undefined || isExpired(head, now) ? undefined : head
}

/** Moves the expiry key of a session to its deadline. */
export function rearm(staged: StagedWrites, head: Head): void {
  const armedAt = keyInstant(head.expiresAt)
  staged.putHead({ ...head, armedAt })
  moveExpiryKey(staged, head.id, head.armedAt, armedAt)
}

function store(staged: StagedWrites, record: SessionRecord, known: Head | undefined): void {
  const { id, owner, expiresAt, data } = record
  const wasArmedAt = known?.armedAt ?? Number.POSITIVE_INFINITY
  const armedAt = Math.min(wasArmedAt, keyInstant(expiresAt))
  staged.putHead(headOf(record, armedAt))
  staged.put(dataKey(id), data)
  moveExpiryKey(staged, id, wasArmedAt, armedAt)
  const wasOwner = known?.owner ?? null
  if (wasOwner === owner) return
  if (wasOwner !== null) staged.remove(ownerKey(wasOwner, id))
  if (owner !== null) staged.put(ownerKey(owner, id), '')
}

/** Keys hold no sign; a deadline before 1970 is over at any instant that is asked for. */
function keyInstant(expiresAt: number): number {
  return Math.max(0, expiresAt)
}

function moveExpiryKey(staged: StagedWrites, id: string, from: number, to: number): void {
  if (from === to) return
  if (from !== Number.POSITIVE_INFINITY) staged.remove(expiryKey(from, id))
  if (to !== Number.POSITIVE_INFINITY) staged.put(expiryKey(to, id), '')
}

function currentOf(staged: StagedWrites, head: Head): SessionRecord {
  const data = staged.get(dataKey(head.id))
  if (matches(head, data)) return withData(head, data)
  throw damaged(head.id)
}
