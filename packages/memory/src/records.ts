import { isExpired, type SessionRecord, type Touch } from '@mcp-session/core/backend'
import { type Entry, entryOf } from './entry.ts'
import { expiryQueue } from './expiry-queue.ts'
import { idleQueue } from './idle-queue.ts'
import { ownerIndex } from './owner-index.ts'
import { roster } from './roster.ts'

/** The table of records with all its indexes. Every method leaves them in step; none of them waits. */
export interface Records {
  /** How many records are held, expired ones included. */
  size(): number
  /** The record with that id, live or expired. */
  find(id: string): Entry | undefined
  live(id: string, now: number): Entry | undefined
  insert(record: SessionRecord, now: number): void
  /** Rewrites an entry; its events and its id stay. */
  rewrite(entry: Entry, record: SessionRecord, now: number): void
  /** Moves an entry's instants forward, never back. */
  touch(entry: Entry, touch: Touch): void
  /** Removes an entry and its events. */
  remove(entry: Entry): void
  /** Removes at most `limit` expired entries, looking at no more than `visits`. `more`: it did not see all that may be due. */
  removeExpired(now: number, limit: number, visits: number): { readonly removed: number; readonly more: boolean }
  /** The entries after a serial, in order: all, or those of one owner. */
  after(serial: number, owner: string | undefined): IterableIterator<Entry>
  /** The entry with the oldest access; `undefined` also where idleness is not tracked. */
  longestIdle(): Entry | undefined
  clear(): void
}

export function recordTable(options: { readonly trackIdle: boolean }): Records {
  const entries = new Map<string, Entry>()
  const listed = roster()
  const owners = ownerIndex()
  const deadlines = expiryQueue()
  const idleness = options.trackIdle ? idleQueue() : undefined

  function live(id: string, now: number): Entry | undefined {
    const entry = entries.get(id)
    return entry === undefined || isExpired(entry, now) ? undefined : entry
  }

  function insert(record: SessionRecord, now: number): void {
    const entry = entryOf(record)
    entries.set(entry.id, entry)
    listed.add(entry)
    owners.add(entry)
    deadlines.file(entry, now)
    idleness?.place(entry)
  }

  function rewrite(entry: Entry, record: SessionRecord, now: number): void {
    if (record.owner !== entry.owner) giveTo(entry, record.owner)
    entry.rev = record.rev
    entry.prevRev = record.prevRev
    entry.createdAt = record.createdAt
    entry.lastAccessedAt = record.lastAccessedAt
    entry.ttlMs = record.ttlMs
    entry.mustEndAt = record.mustEndAt
    entry.expiresAt = record.expiresAt
    entry.data = record.data
    deadlines.file(entry, now)
    idleness?.place(entry)
  }

  /** Listings follow serials, so a new owner's entry comes as the last: a listing under way may show it twice, never skip it. */
  function giveTo(entry: Entry, owner: string | null): void {
    owners.remove(entry)
    listed.remove(entry)
    entry.owner = owner
    listed.add(entry)
    owners.add(entry)
  }

  function touch(entry: Entry, touch: Touch): void {
    if (touch.lastAccessedAt > entry.lastAccessedAt) entry.lastAccessedAt = touch.lastAccessedAt
    if (touch.expiresAt > entry.expiresAt) entry.expiresAt = touch.expiresAt
  }

  function remove(entry: Entry): void {
    entries.delete(entry.id)
    listed.remove(entry)
    owners.remove(entry)
    deadlines.remove(entry)
    idleness?.remove(entry)
  }

  function removeExpired(now: number, limit: number, visits: number): { removed: number; more: boolean } {
    const { due, more } = deadlines.take(now, limit, visits)
    for (const entry of due) remove(entry)
    return { removed: due.length, more }
  }

  function* ownedAfter(serial: number, owner: string): Generator<Entry> {
    const reached = listed.at(serial)
    let entry = reached?.owner === owner ? reached : owners.first(owner)
    for (; entry !== undefined; entry = entry.ownerNext) {
      if (entry.serial > serial) yield entry
    }
  }

  return {
    size: () => entries.size,
    find: (id) => entries.get(id),
    live,
    insert,
    rewrite,
    touch,
    remove,
    removeExpired,
    after: (serial, owner) => (owner === undefined ? listed.after(serial) : ownedAfter(serial, owner)),
    longestIdle: () => idleness?.longestIdle(),
    clear: () => {
      entries.clear()
      listed.clear()
      owners.clear()
      deadlines.clear()
      idleness?.clear()
    },
  }
}
