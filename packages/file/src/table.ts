import { crc32 } from 'node:zlib'
import { numberColumn } from './columns.ts'
import { expiryBuckets } from './expiry-buckets.ts'
import { idIndex } from './id-index.ts'
import { ownerRings } from './owner-rings.ts'
import type { RecordHead, TouchHead } from './record-frames.ts'
import { roster } from './roster.ts'
import { inOrder } from './serial-order.ts'
import { type SessionEvents, sessionEvents } from './session-events.ts'

/** Where a frame is, and how large. */
export interface Place {
  /** Its segment and offset, as `placeOf` joins them. */
  readonly at: number
  readonly headBytes: number
  readonly bytes: number
}

/** What is kept in memory of every session: about 250 bytes; all else is read from its frame. Rows are numbers that are used again. */
export interface Table {
  size(): number
  /** The row of that session, live or expired; -1: none. */
  find(id: string): number
  /** The row of that session if it is live, else -1. */
  live(id: string, now: number): number
  idOf(row: number): string
  revOf(row: number): string
  ownerOf(row: number): string | null
  serialOf(row: number): number
  lastAccessedAtOf(row: number): number
  expiresAtOf(row: number): number
  placeOf(row: number): Place
  /** A serial that is greater than all before. */
  nextSerial(): number
  /** Inserts or overwrites the session that a frame holds; its events stay. */
  put(head: RecordHead, place: Place): void
  /** Moves the instants of that session forward, if it is there with that rev. */
  touch(touch: TouchHead): void
  /** Its frame is somewhere else now. */
  move(row: number, place: Place): void
  /** Removes the session and its events; does nothing where there is none. */
  remove(id: string): void
  /** The events of that session, if it has any. */
  eventsOf(id: string): SessionEvents | undefined
  /** The same, made where there are none. */
  eventsFor(id: string): SessionEvents
  /** Ends the reading of the log: until then there are no listings, and events may come before their session. */
  settle(pause: () => Promise<void>): Promise<void>
  /** Rows after a serial in the order of listings: all, or those of one owner. */
  after(serial: number, owner: string | undefined): Generator<number>
  due(now: number, limit: number, visits: number, skip: (row: number) => boolean): { readonly rows: number[]; readonly more: boolean }
  /** Bytes of the frames that hold sessions. */
  liveBytes(): number
  /** Bytes of the frames that hold events. */
  eventBytes(): number
}

export function table(): Table {
  const ids: string[] = []
  const revs: string[] = []
  const owners: (string | null)[] = []
  const free: number[] = []
  const [serials, lastAccessedAts, expiresAts] = [numberColumn(), numberColumn(), numberColumn()]
  const [places, headSizes, sizes] = [numberColumn(), numberColumn(), numberColumn()]
  const rows = idIndex()
  const listed = roster()
  const rings = ownerRings()
  const deadlines = expiryBuckets(expiresAts)
  const logs = new Map<string, SessionEvents>()
  const eventBytes = { bytes: 0 }
  let [count, liveBytes, lastSerial, latestAt] = [0, 0, 0, 0]
  let settled = false

  function put(head: RecordHead, place: Place): void {
    const known = rows.get(head.id)
    const row = known === -1 ? (free.pop() ?? ids.length) : known
    if (known === -1) insert(row, head)
    else if (owners[row] !== head.owner || serials.at(row) !== head.serial) {
      leave(row)
      enter(row, head)
    }
    if (head.lastAccessedAt > latestAt) latestAt = head.lastAccessedAt
    revs[row] = head.rev
    lastAccessedAts.set(row, head.lastAccessedAt)
    expiresAts.set(row, head.expiresAt)
    deadlines.file(row, head.expiresAt, latestAt)
    move(row, place)
  }

  function insert(row: number, head: RecordHead): void {
    ids[row] = head.id
    sizes.set(row, 0)
    rows.set(head.id, row)
    count += 1
    enter(row, head)
  }

  function enter(row: number, { owner, serial }: RecordHead): void {
    owners[row] = owner
    serials.set(row, serial)
    if (serial > lastSerial) lastSerial = serial
    if (settled) list(row)
  }

  /** Rows must come in the order of serials. */
  function list(row: number): void {
    const owner = owners[row] ?? null
    if (owner !== null) rings.add(owner, row)
    listed.add(row, serials.at(row))
  }

  function leave(row: number): void {
    const owner = owners[row] ?? null
    if (owner !== null && settled) rings.remove(owner, row)
    serials.set(row, 0)
  }

  function move(row: number, place: Place): void {
    liveBytes += place.bytes - sizes.at(row)
    places.set(row, place.at)
    headSizes.set(row, place.headBytes)
    sizes.set(row, place.bytes)
  }

  function touch({ id, revSum, lastAccessedAt, expiresAt }: TouchHead): void {
    const row = rows.get(id)
    if (row === -1 || crc32(revs[row] ?? '') !== revSum) return
    if (lastAccessedAt > lastAccessedAts.at(row)) lastAccessedAts.set(row, lastAccessedAt)
    if (lastAccessedAt > latestAt) latestAt = lastAccessedAt
    if (expiresAt > expiresAts.at(row)) expiresAts.set(row, expiresAt)
  }

  function remove(id: string): void {
    const events = logs.size === 0 ? undefined : logs.get(id)
    if (events !== undefined) {
      eventBytes.bytes -= events.bytes()
      logs.delete(id)
    }
    const row = rows.get(id)
    if (row === -1) return
    rows.delete(id)
    leave(row)
    deadlines.forget(row)
    liveBytes -= sizes.at(row)
    ids[row] = ''
    revs[row] = ''
    owners[row] = null
    free.push(row)
    count -= 1
    if (settled) listed.tidy(count, serials.at)
  }

  async function settle(pause: () => Promise<void>): Promise<void> {
    for (const row of await inOrder(ids.length, serials.at, pause)) list(row)
    settled = true
    for (const id of [...logs.keys()]) if (rows.get(id) === -1) remove(id)
  }

  function* after(serial: number, owner: string | undefined): Generator<number> {
    if (owner === undefined) {
      for (const entry of listed.after(serial)) if (serials.at(entry.row) === entry.serial) yield entry.row
      return
    }
    const reached = listed.at(serial)
    const isThere = reached !== -1 && serials.at(reached) === serial && owners[reached] === owner
    for (let row = isThere ? reached : rings.first(owner); row !== -1; row = rings.next(owner, row)) {
      if (serials.at(row) > serial) yield row
    }
  }

  return {
    size: () => count,
    find: rows.get,
    live(id, now) {
      const row = rows.get(id)
      return row === -1 || expiresAts.at(row) <= now ? -1 : row
    },
    idOf: (row) => ids[row] ?? '',
    revOf: (row) => revs[row] ?? '',
    ownerOf: (row) => owners[row] ?? null,
    serialOf: serials.at,
    lastAccessedAtOf: lastAccessedAts.at,
    expiresAtOf: expiresAts.at,
    placeOf: (row) => ({ at: places.at(row), headBytes: headSizes.at(row), bytes: sizes.at(row) }),
    nextSerial() {
      lastSerial += 1
      return lastSerial
    },
    put,
    touch,
    move,
    remove,
    eventsOf: (id) => logs.get(id),
    eventsFor(id) {
      const events = logs.get(id) ?? sessionEvents(eventBytes)
      logs.set(id, events)
      return events
    },
    settle,
    after,
    due: deadlines.due,
    liveBytes: () => liveBytes,
    eventBytes: () => eventBytes.bytes,
  }
}
