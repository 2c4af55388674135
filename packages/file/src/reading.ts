import { byteLru, knownAt, type SessionRecord, type StoredEvent } from '@mcp-session/core/backend'
import { readEventsFrame } from './event-frames.ts'
import { corrupt } from './file-errors.ts'
import { headAt, headerBytes, isDataIntact } from './frame.ts'
import type { Log } from './log.ts'
import { readId, readRecordHead } from './record-frames.ts'
import { offsetOf, type Segment, segmentName, segmentOf } from './segment.ts'
import type { KeptEvent } from './session-events.ts'
import type { Place, Table } from './table.ts'

/** Reads what the index names, from the cache or from the disk, where every checksum is looked at. */
export interface Reading {
  /** The record as it is now, without waiting; `undefined`: it is not in the cache. `known`: as the caller saw it last. */
  cached(row: number, known?: SessionRecord): SessionRecord | undefined
  /** Names the record as it is now, and keeps its file open until it is read with `record`, once. */
  capture(row: number): Captured
  /** `CORRUPT` where the disk does not give what was written there. */
  record(captured: Captured, withData: boolean): Promise<SessionRecord>
  /** Keeps their files open until they are read with the function that it gives, once. */
  captureEvents(events: readonly KeptEvent[]): () => Promise<StoredEvent[]>
  /** Puts into the cache what was written just now. */
  remember(place: number, record: SessionRecord): void
  rememberEvent(place: number, data: string): void
  forget(place: number): void
  /** What was at one place is at another now, too. */
  move(from: number, to: number): void
}

export interface Captured {
  readonly id: string
  readonly place: Place
  readonly segment: Segment | undefined
  readonly lastAccessedAt: number
  readonly expiresAt: number
}

/** What a cached text takes beside its characters. */
const overheadBytes = 300
/** Reads that are under way at once in a page: the thread pool has four threads. */
const readsAtOnce = 16

export function reading(log: Log, table: Table, seed: number, cacheBytes: number): Reading {
  /** By the place on disk, which names one content as long as it is in use. */
  const known = byteLru<SessionRecord | string, number>(cacheBytes)

  function cached(row: number, asSeen?: SessionRecord): SessionRecord | undefined {
    const record = known.get(table.placeOf(row).at)
    if (record === undefined || typeof record === 'string') return undefined
    const lastAccessedAt = table.lastAccessedAtOf(row)
    const expiresAt = table.expiresAtOf(row)
    return asSeen?.rev === record.rev ? knownAt(asSeen, lastAccessedAt, expiresAt) : { ...record, lastAccessedAt, expiresAt }
  }

  function capture(row: number): Captured {
    const place = table.placeOf(row)
    const segment = pinned(place.at)
    return { id: table.idOf(row), place, segment, lastAccessedAt: table.lastAccessedAtOf(row), expiresAt: table.expiresAtOf(row) }
  }

  function pinned(place: number): Segment | undefined {
    const segment = log.segments().find(({ number }) => number === segmentOf(place))
    segment?.pin()
    return segment
  }

  async function record({ id, place, segment, lastAccessedAt, expiresAt }: Captured, withData: boolean): Promise<SessionRecord> {
    try {
      const remembered = known.get(place.at)
      const isKnown = remembered !== undefined && typeof remembered !== 'string'
      const found = isKnown ? remembered : await recordAt(place, segment, id, withData)
      return { ...found, data: withData ? found.data : '', lastAccessedAt, expiresAt }
    } finally {
      segment?.unpin()
    }
  }

  async function recordAt(place: Place, segment: Segment | undefined, id: string, withData: boolean): Promise<SessionRecord> {
    const frame = await frameOf(place.at, withData ? place.bytes : headerBytes + place.headBytes, segment, withData)
    if (readId(frame, 0) !== id) throw damaged(place.at)
    const { serial: _, ...head } = readRecordHead(frame, 0)
    if (!withData) return { ...head, data: '' }
    const found = { data: frame.toString('utf8', headerBytes + place.headBytes), ...head }
    remember(place.at, found)
    return found
  }

  async function frameOf(place: number, bytes: number, segment: Segment | undefined, whole: boolean): Promise<Buffer> {
    const frame = Buffer.allocUnsafe(bytes)
    const length = await segment?.file.read(frame, offsetOf(place))
    if (length !== bytes || headAt(frame, 0, bytes, seed) === undefined || (whole && !isDataIntact(frame, seed))) throw damaged(place)
    return frame
  }

  function remember(place: number, record: SessionRecord): void {
    known.set(place, record, record.data.length + overheadBytes)
  }

  function rememberEvent(place: number, data: string): void {
    known.set(place, data, data.length + overheadBytes)
  }

  function captureEvents(events: readonly KeptEvent[]): () => Promise<StoredEvent[]> {
    const pins = events.map(({ frameAt }) => pinned(frameAt))
    return async () => {
      try {
        return await eachOf(events, (event, index) => storedEvent(event, pins[index]))
      } finally {
        for (const segment of pins) segment?.unpin()
      }
    }
  }

  async function storedEvent(event: KeptEvent, segment: Segment | undefined): Promise<StoredEvent> {
    const { sequence, key, stream, createdAt } = event
    const place = event.frameAt + event.at
    const remembered = known.get(place)
    if (typeof remembered === 'string') return { sequence, key, stream, createdAt, data: remembered }
    const frame = await frameOf(event.frameAt, event.frameBytes, segment, true)
    // A restored page is one frame: it is not read again for each of its events.
    for (const { at, bytes } of readEventsFrame(frame, 0).events) rememberEvent(event.frameAt + at, frame.toString('utf8', at, at + bytes))
    return { sequence, key, stream, createdAt, data: frame.toString('utf8', event.at, event.at + event.bytes) }
  }

  function move(from: number, to: number): void {
    const found = known.get(from)
    known.delete(from)
    if (found !== undefined && typeof found !== 'string') remember(to, found)
  }

  return { cached, capture, record, captureEvents, remember, rememberEvent, forget: known.delete, move }
}

/** Many reads, a few at a time, results in order. All are done, also where one fails: each gives back the file that it keeps open. */
export async function eachOf<T, R>(items: readonly T[], read: (item: T, index: number) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  const failures: unknown[] = []
  let next = 0
  async function work(): Promise<void> {
    while (next < items.length) {
      const index = next
      next += 1
      const item = items[index]
      if (item === undefined) continue
      try {
        results[index] = await read(item, index)
      } catch (error) {
        failures.push(error)
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(readsAtOnce, items.length) }, work))
  if (failures.length > 0) throw failures[0]
  return results
}

export function damaged(place: number): Error {
  return corrupt(
    `${segmentName(segmentOf(place))} is damaged at offset ${offsetOf(place)}: the frame there is not the one that was written; restore a backup, or open the store with damage: 'salvage'`,
  )
}
