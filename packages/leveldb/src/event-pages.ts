import { type EventPage, type EventQuery, isExpired, type StoredEvent } from '@mcp-session/core/backend'
import { type LevelDatabase, type LevelEncodings, utf8 } from './driver.ts'
import { type KeptEvent, parseEvent } from './event.ts'
import { headIn } from './head.ts'
import { eventKey, headKey, trimKey } from './keys.ts'
import { readLog, readTrim } from './session-log.ts'

const maxPageBytes = 4 * 1024 * 1024

/** One page of a session's events, all of one state of the store. A damaged event counts as gone. */
export async function readEvents(
  database: LevelDatabase,
  sessionId: string,
  query: EventQuery,
  now: number,
): Promise<EventPage | undefined> {
  const snapshot = database.snapshot()
  try {
    return await pageIn(database, { ...utf8, snapshot }, sessionId, query, now)
  } finally {
    await snapshot.close()
  }
}

async function pageIn(
  database: LevelDatabase,
  encodings: LevelEncodings,
  sessionId: string,
  query: EventQuery,
  now: number,
): Promise<EventPage | undefined> {
  const read = (key: string): string | undefined => database.getSync(key, encodings)
  const head = headIn(sessionId, read(headKey(sessionId)))
  if (head === undefined || isExpired(head, now)) return undefined
  const { last, newestTrimmed, trimmedThrough } = readLog(read, sessionId)
  const streams = query.streams === undefined || query.streams.length === 0 ? undefined : new Set(query.streams)
  const oldestAt = now - query.maxAgeMs
  const events: StoredEvent[] = []
  let trimmed = query.after > last || query.after < (streams === undefined ? newestTrimmed : trimmedThrough)
  for (const stream of streams ?? []) trimmed ||= query.after < readTrim(read, trimKey(sessionId, stream))
  let bytes = 0
  let full = false
  const range = { gte: eventKey(sessionId, query.after + 1), lt: `e${sessionId}\u0001` }
  for await (const [key, value] of database.iterator({ ...encodings, ...range })) {
    const event = parseEvent(key, value)
    if (event === undefined) trimmed = true
    else if (streams !== undefined && !streams.has(event.stream)) continue
    else if (event.createdAt < oldestAt) trimmed = true
    else {
      full ||= events.length >= query.limit || (events.length > 0 && bytes + event.bytes > maxPageBytes)
      if (!full) events.push(storedEvent(event))
      bytes += event.bytes
    }
    // Beyond a full page there is one thing left to learn: whether a later event is gone.
    if (full && (trimmed || oldestAt === Number.NEGATIVE_INFINITY)) break
  }
  return { events, last, trimmed }
}

function storedEvent({ bytes, ...event }: KeptEvent): StoredEvent {
  return event
}
