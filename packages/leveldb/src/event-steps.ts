import type { EventPage, NewEvent, Retention, StoredEvent } from '@mcp-session/core/backend'
import { formatEvent, isInternal, parseEvent } from './event.ts'
import { eventKey, logKey, writerKey } from './keys.ts'
import { liveHead } from './records.ts'
import { seal, unsealItems } from './sealed.ts'
import { formatLog, readLog } from './session-log.ts'
import type { StagedWrites } from './staged-writes.ts'
import { trim } from './trimming.ts'

/** The steps on events. They run in the write lane, one after the other. */
export interface EventSteps {
  append(staged: StagedWrites, sessionId: string, event: NewEvent, retention: Retention, now: number): Promise<number | undefined>
  restore(staged: StagedWrites, sessionId: string, page: EventPage, now: number): Promise<boolean>
}

export const eventSteps: EventSteps = { append, restore }

async function append(
  staged: StagedWrites,
  sessionId: string,
  event: NewEvent,
  retention: Retention,
  now: number,
): Promise<number | undefined> {
  if (liveHead(staged, sessionId, now) === undefined) return undefined
  const known = sequenceOfWriter(staged, sessionId, event.key)
  if (known !== undefined) return known
  const before = readLog(staged.get, sessionId)
  const stored: StoredEvent = { ...event, sequence: before.last + 1, createdAt: now }
  const log = { ...before, ...counting(before, event), last: stored.sequence }
  put(staged, sessionId, stored)
  staged.put(logKey(sessionId), formatLog(sessionId, await trim(staged, sessionId, log, retention, now)))
  return stored.sequence
}

async function restore(staged: StagedWrites, sessionId: string, page: EventPage, now: number): Promise<boolean> {
  if (liveHead(staged, sessionId, now) === undefined) return false
  let log = readLog(staged.get, sessionId)
  for (const event of page.events) {
    if (staged.get(eventKey(sessionId, event.sequence)) !== undefined) continue
    if (sequenceOfWriter(staged, sessionId, event.key) !== undefined) continue
    put(staged, sessionId, event)
    log = { ...log, ...counting(log, event), ...beginningAt(log, event) }
  }
  const missing = page.trimmed ? newestMissing(page) : 0
  const last = Math.max(log.last, page.last, page.events.at(-1)?.sequence ?? 0)
  const newestTrimmed = Math.max(log.newestTrimmed, missing)
  const trimmedThrough = Math.max(log.trimmedThrough, missing)
  staged.put(logKey(sessionId), formatLog(sessionId, { ...log, last, newestTrimmed, trimmedThrough }))
  return true
}

function put(staged: StagedWrites, sessionId: string, event: StoredEvent): void {
  staged.put(eventKey(sessionId, event.sequence), formatEvent(sessionId, event))
  const key = writerKey(sessionId, event.key)
  staged.put(key, seal(key, JSON.stringify([event.sequence])))
}

/** The sequence of the event that has this key, where there is one. A damaged answer is none: at worst the event is stored again. */
function sequenceOfWriter(staged: StagedWrites, sessionId: string, key: string): number | undefined {
  const storedUnder = writerKey(sessionId, key)
  const value = staged.get(storedUnder)
  if (value === undefined) return undefined
  const sequence = Number(unsealItems(storedUnder, value)?.[0])
  const event = staged.get(eventKey(sessionId, sequence))
  return event !== undefined && parseEvent(eventKey(sessionId, sequence), event)?.key === key ? sequence : undefined
}

function counting({ count, bytes }: { count: number; bytes: number }, { stream, data }: NewEvent): { count: number; bytes: number } {
  return isInternal(stream) ? { count, bytes } : { count: count + 1, bytes: bytes + Buffer.byteLength(data) }
}

/** A restored event may be older than all that are there. */
function beginningAt(log: { oldest: number; oldestInternal: number }, { stream, sequence }: StoredEvent): Partial<typeof log> {
  if (isInternal(stream)) return { oldestInternal: Math.min(log.oldestInternal, sequence) }
  return { oldest: Math.min(log.oldest, sequence) }
}

/** The greatest sequence that a page skips; in a page without events, all up to its `last`. */
function newestMissing(page: EventPage): number {
  const present = new Set(page.events.map((event) => event.sequence))
  let sequence = page.events.at(-1)?.sequence ?? page.last
  while (present.has(sequence)) sequence -= 1
  return sequence
}
