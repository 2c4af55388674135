import type { EventPage, EventQuery, NewEvent, Retention, StoredEvent } from '@mcp-session/core/backend'
import { trimmedStreams } from './trimmed-streams.ts'

/** The events of one session. */
export interface SessionLog {
  /** The event's sequence, or that of the kept event with the same key. */
  append(event: NewEvent, retention: Retention, now: number): number
  read(query: EventQuery, now: number): EventPage
  /** Adds the events of a page that are not there yet, under the sequences that they have. */
  restore(page: EventPage): void
}

interface KeptEvent extends StoredEvent {
  readonly bytes: number
}

const maxPageBytes = 4 * 1024 * 1024

export function sessionLog(): SessionLog {
  // Two lists, each in the order of sequences: trimming the counted ones never has to step over the exempt ones.
  const counted: KeptEvent[] = []
  const exempt: KeptEvent[] = []
  const sequences = new Map<string, number>()
  const gone = trimmedStreams()
  let countedBytes = 0
  let last = 0

  function append(event: NewEvent, retention: Retention, now: number): number {
    const known = sequences.get(event.key)
    if (known !== undefined) return known
    last += 1
    keep({ ...detached(event, last, now), bytes: Buffer.byteLength(event.data) })
    trim(retention, now)
    return last
  }

  function keep(event: KeptEvent): void {
    const list = isExempt(event.stream) ? exempt : counted
    const index = indexAfter(list, event.sequence)
    if (index === list.length) list.push(event)
    else list.splice(index, 0, event)
    sequences.set(event.key, event.sequence)
    if (list === counted) countedBytes += event.bytes
  }

  function trim({ maxEvents, maxBytes, maxAgeMs, maxInternalAgeMs = Number.POSITIVE_INFINITY }: Retention, now: number): void {
    drop(counted, (event, left) => left <= maxEvents && countedBytes <= maxBytes && event.createdAt >= now - maxAgeMs)
    drop(exempt, (event) => event.createdAt >= now - maxInternalAgeMs)
  }

  /** Drops the oldest of one list until one fits; the newest event of all stays. */
  function drop(list: KeptEvent[], fits: (event: KeptEvent, left: number) => boolean): void {
    let dropped = 0
    for (const event of list) {
      if (event.sequence === last || fits(event, list.length - dropped)) break
      dropped += 1
      if (list === counted) countedBytes -= event.bytes
      sequences.delete(event.key)
      gone.add(event.stream, event.sequence)
    }
    if (dropped > 0) list.splice(0, dropped)
  }

  function read(query: EventQuery, now: number): EventPage {
    const streams = query.streams === undefined || query.streams.length === 0 ? undefined : new Set(query.streams)
    const oldestAt = now - query.maxAgeMs
    const events: StoredEvent[] = []
    let trimmed = query.after > last || gone.isAnyAfter(query.after, streams)
    let bytes = 0
    let full = false
    for (const event of after(query.after, streams)) {
      if (event.createdAt < oldestAt) {
        trimmed = true
        continue
      }
      full ||= events.length >= query.limit || (events.length > 0 && bytes + event.bytes > maxPageBytes)
      // Beyond a full page there is one thing left to learn: whether a later event is too old already.
      if (full && (trimmed || oldestAt === Number.NEGATIVE_INFINITY)) break
      if (full) continue
      bytes += event.bytes
      events.push(detached(event, event.sequence, event.createdAt))
    }
    return { events, last, trimmed }
  }

  function* after(sequence: number, streams: ReadonlySet<string> | undefined): Generator<KeptEvent> {
    for (const event of inOrder(sequence)) {
      if (streams === undefined || streams.has(event.stream)) yield event
    }
  }

  function* inOrder(sequence: number): Generator<KeptEvent> {
    let countedIndex = indexAfter(counted, sequence)
    let exemptIndex = indexAfter(exempt, sequence)
    for (;;) {
      const one = counted[countedIndex]
      const other = exempt[exemptIndex]
      if (one !== undefined && (other === undefined || one.sequence < other.sequence)) {
        countedIndex += 1
        yield one
      } else if (other !== undefined) {
        exemptIndex += 1
        yield other
      } else {
        return
      }
    }
  }

  function restore(page: EventPage): void {
    for (const event of page.events) {
      if (sequences.has(event.key) || has(event.sequence)) continue
      keep({ ...detached(event, event.sequence, event.createdAt), bytes: Buffer.byteLength(event.data) })
    }
    last = Math.max(last, page.last, page.events.at(-1)?.sequence ?? 0)
    if (page.trimmed) gone.addUnknown(newestMissing(page))
  }

  function has(sequence: number): boolean {
    return [counted, exempt].some((list) => list[indexAfter(list, sequence) - 1]?.sequence === sequence)
  }

  return { append, read, restore }
}

/** Index of the first event with a greater sequence. Searched from the end, where almost every caller looks. */
function indexAfter(list: readonly KeptEvent[], sequence: number): number {
  let low = 0
  let high = list.length
  if ((list[high - 1]?.sequence ?? 0) <= sequence) return high
  while (low < high) {
    const middle = (low + high) >> 1
    if ((list[middle]?.sequence ?? 0) <= sequence) low = middle + 1
    else high = middle
  }
  return low
}

/** The greatest sequence that a page skips; in a page without events, all up to its `last`. */
function newestMissing(page: EventPage): number {
  const present = new Set(page.events.map((event) => event.sequence))
  let sequence = page.events.at(-1)?.sequence ?? page.last
  while (present.has(sequence)) sequence -= 1
  return sequence
}

function isExempt(stream: string): boolean {
  return stream.startsWith('!')
}

function detached(event: NewEvent, sequence: number, createdAt: number): StoredEvent {
  return { key: event.key, stream: event.stream, data: event.data, sequence, createdAt }
}
