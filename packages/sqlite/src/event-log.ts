import type { EventPage, EventQuery, NewEvent, Retention, StoredEvent } from '@mcp-session/core/backend'
import type { Records } from './records.ts'
import { columnsOf } from './rows.ts'
import type { Statements } from './statements.ts'

/** The steps on events. `read` runs inside a read transaction, the others inside a write transaction. */
export interface SessionEvents {
  append(sessionId: string, event: NewEvent, retention: Retention, now: number): number | undefined
  read(sessionId: string, query: EventQuery, now: number): EventPage | undefined
  restore(sessionId: string, page: EventPage, now: number): boolean
}

/** A session's log row. Events of streams that begin with `!`, internal ones, are not counted. */
interface Log {
  readonly session: number
  readonly last: number
  /** No counted event has a smaller sequence: trimming begins here, and steps over an internal event once only. */
  readonly oldest: number
  /** The same for internal events. */
  readonly oldestInternal: number
  readonly count: number
  readonly bytes: number
  /** Events up to here are gone, nobody knows of which streams. */
  readonly trimmedThrough: number
}

const maxPageBytes = 4 * 1024 * 1024
/** A session that opens a stream per request names new ones for ever, so the oldest trimmed ones are remembered together only. */
const maxTrimmedStreams = 4_096

export function sessionEvents(statements: Statements, records: Records): SessionEvents {
  function append(sessionId: string, event: NewEvent, retention: Retention, now: number): number | undefined {
    const session = records.liveSeq(sessionId, now)
    if (session === undefined) return undefined
    const known = statements.eventOfKey.get(session, event.key)
    if (known !== undefined) return Number(columnsOf(known)['sequence'])
    const log = logOf(session)
    const stored: StoredEvent = { ...event, sequence: log.last + 1, createdAt: now }
    statements.insertEvent.run(parametersOf(session, stored))
    statements.saveLog.run(trim({ ...counting(log, stored), last: stored.sequence }, retention, now))
    return stored.sequence
  }

  function trim(log: Log, retention: Retention, now: number): Log {
    const oldestAt = now - retention.maxAgeMs
    let { oldest, count, bytes } = log
    for (const event of oldestEvents(log, oldest)) {
      if (!isInternal(event.stream)) {
        if (count <= retention.maxEvents && bytes <= retention.maxBytes && event.createdAt >= oldestAt) break
        remove(log, event)
        count -= 1
        bytes -= event.bytes
      }
      oldest = event.sequence + 1
    }
    return { ...log, oldest, oldestInternal: trimInternal(log, retention, now), count, bytes, trimmedThrough: forgetTrims(log) }
  }

  function trimInternal(log: Log, { maxInternalAgeMs = Number.POSITIVE_INFINITY }: Retention, now: number): number {
    let { oldestInternal } = log
    if (maxInternalAgeMs === Number.POSITIVE_INFINITY) return oldestInternal
    for (const event of oldestEvents(log, oldestInternal)) {
      if (isInternal(event.stream)) {
        if (event.createdAt >= now - maxInternalAgeMs) break
        remove(log, event)
      }
      oldestInternal = event.sequence + 1
    }
    return oldestInternal
  }

  function remove({ session }: Log, { sequence, stream }: OldEvent): void {
    statements.removeEvent.run(session, sequence)
    statements.saveTrim.run(session, stream, sequence)
  }

  /** All but the newest event, from a sequence on; read in small portions, since rows cannot be deleted under an open iterator. */
  function* oldestEvents({ session, last }: Log, oldest: number): Generator<OldEvent> {
    let from = oldest
    while (from < last) {
      const events = statements.oldestEvents.all(session, from, last).map(oldEventOf)
      yield* events
      from = (events.at(-1)?.sequence ?? last) + 1
    }
  }

  /** Now and then, since it looks at all of the session's trimmed streams. */
  function forgetTrims({ session, last, trimmedThrough }: Log): number {
    if (last % 256 !== 0) return trimmedThrough
    const beyond = statements.trimBeyond.get(session, maxTrimmedStreams)
    if (beyond === undefined) return trimmedThrough
    const sequence = Number(columnsOf(beyond)['trimmed_through'])
    statements.forgetTrims.run(session, sequence)
    return Math.max(trimmedThrough, sequence)
  }

  function read(sessionId: string, query: EventQuery, now: number): EventPage | undefined {
    const session = records.liveSeq(sessionId, now)
    if (session === undefined) return undefined
    const { last, trimmedThrough } = logOf(session)
    const { after, limit, streams = [] } = query
    const ofStreams = streams.length > 0
    const parameters = { session, after, limit, oldestAt: now - query.maxAgeMs, streams: JSON.stringify(streams) }
    const isGone = (ofStreams ? statements.trimmedOfStreams : statements.trimmed).get(parameters) !== undefined
    const isTooOld = (ofStreams ? statements.tooOldOfStreams : statements.tooOld).get(parameters) !== undefined
    return {
      events: page((ofStreams ? statements.eventsOfStreams : statements.events).iterate(parameters)),
      last,
      trimmed: after > last || after < trimmedThrough || isGone || isTooOld,
    }
  }

  function restore(sessionId: string, page: EventPage, now: number): boolean {
    const session = records.liveSeq(sessionId, now)
    if (session === undefined) return false
    let log = logOf(session)
    for (const event of page.events) {
      if (statements.restoreEvent.run(parametersOf(session, event)).changes === 0) continue
      const { oldest, oldestInternal } = log
      log = {
        ...counting(log, event),
        oldest: Math.min(oldest, event.sequence),
        oldestInternal: Math.min(oldestInternal, event.sequence),
      }
    }
    const last = Math.max(log.last, page.last, page.events.at(-1)?.sequence ?? 0)
    const trimmedThrough = page.trimmed ? Math.max(log.trimmedThrough, newestMissing(page)) : log.trimmedThrough
    statements.saveLog.run({ ...log, last, trimmedThrough })
    return true
  }

  function logOf(session: number): Log {
    const row = statements.log.get(session)
    if (row === undefined) return { session, last: 0, oldest: 1, oldestInternal: 1, count: 0, bytes: 0, trimmedThrough: 0 }
    const { last, oldest, oldest_internal: oldestInternal, count, bytes, trimmed_through: trimmedThrough } = columnsOf(row)
    return {
      session,
      last: Number(last),
      oldest: Number(oldest),
      oldestInternal: Number(oldestInternal),
      count: Number(count),
      bytes: Number(bytes),
      trimmedThrough: Number(trimmedThrough),
    }
  }

  return { append, read, restore }
}

interface OldEvent {
  readonly sequence: number
  readonly stream: string
  readonly createdAt: number
  readonly bytes: number
}

function oldEventOf(row: unknown): OldEvent {
  const { sequence, stream, created_at: createdAt, bytes } = columnsOf(row)
  return { sequence: Number(sequence), stream: String(stream), createdAt: Number(createdAt), bytes: Number(bytes) }
}

function page(rows: Iterable<unknown>): StoredEvent[] {
  const events: StoredEvent[] = []
  let pageBytes = 0
  for (const row of rows) {
    const event = eventOf(row)
    pageBytes += Buffer.byteLength(event.data)
    if (events.length > 0 && pageBytes > maxPageBytes) break
    events.push(event)
  }
  return events
}

/** A damaged event is handed over as what is left of it: the store's checksum finds it, and the page goes on. */
function eventOf(row: unknown): StoredEvent {
  const { sequence, key, stream, created_at: createdAt, data } = columnsOf(row)
  return { sequence: Number(sequence), key: String(key), stream: String(stream), createdAt: Number(createdAt), data: String(data) }
}

function parametersOf(session: number, { sequence, key, stream, createdAt, data }: StoredEvent): Record<string, unknown> {
  return { session, sequence, key, stream, createdAt, data, bytes: Buffer.byteLength(data) }
}

function counting(log: Log, { stream, data }: NewEvent): Log {
  return isInternal(stream) ? log : { ...log, count: log.count + 1, bytes: log.bytes + Buffer.byteLength(data) }
}

function isInternal(stream: string): boolean {
  return stream.startsWith('!')
}

/** The greatest sequence that a page skips; in a page without events, all up to its `last`. */
function newestMissing(page: EventPage): number {
  const present = new Set(page.events.map((event) => event.sequence))
  let sequence = page.events.at(-1)?.sequence ?? page.last
  while (present.has(sequence)) sequence -= 1
  return sequence
}
