import type { EventPage, EventQuery, NewEvent, Retention } from '@mcp-session/core/backend'
import type { EventHead, EventsHead } from './event-frames.ts'
import { segmentOf } from './segment.ts'
import { trimmedStreams } from './trimmed-streams.ts'

/** The events of one session: where they are on disk, and what retention needs. Nothing changes but by `apply`. */
export interface SessionEvents {
  /** What an append would write; `undefined`: the key is there already, under that sequence. */
  planAppend(
    event: NewEvent,
    retention: Retention,
    now: number,
  ): { readonly known: number } | { readonly head: Head; readonly sequence: number }
  /** What a restore would write, and which events of the page. */
  planRestore(page: EventPage): { readonly head: Head; readonly events: EventPage['events'] }
  /** Takes over what a frame on disk says; also for events that were only moved. `frameAt`: its place. */
  apply(head: Head, events: readonly EventHead[], frameAt: number, frameBytes: number): void
  /** The events that a read shows, without their data, and what is to be said beside them. */
  select(query: EventQuery, now: number): { readonly events: readonly KeptEvent[]; readonly last: number; readonly trimmed: boolean }
  /** The event with that sequence. */
  at(sequence: number): KeptEvent | undefined
  /** All that is known, but for the events. */
  state(): Head
  /** The oldest segment whose frames are needed to know `state`. */
  stateSegment(): number
  /** Bytes that its events take on disk. */
  bytes(): number
}

type Head = Omit<EventsHead, 'id'>

export interface KeptEvent extends EventHead {
  /** Place of the frame that holds it. */
  readonly frameAt: number
  readonly frameBytes: number
}

const maxPageBytes = 4 * 1024 * 1024
/** What an event takes on disk beside its data, key and stream. */
const eventOverheadBytes = 130

/** `total`: bytes of the events of all sessions, kept up to date. */
export function sessionEvents(total: { bytes: number }): SessionEvents {
  // Two lists, each in the order of sequences: trimming the counted ones never has to step over the internal ones.
  const counted: KeptEvent[] = []
  const internal: KeptEvent[] = []
  const sequences = new Map<string, number>()
  const gone = trimmedStreams()
  let [last, countedBytes, diskBytes, firstSegment] = [0, 0, 0, Number.POSITIVE_INFINITY]

  function planAppend(event: NewEvent, retention: Retention, now: number): ReturnType<SessionEvents['planAppend']> {
    const known = sequences.get(event.key)
    if (known !== undefined) return { known }
    const dropped = overdue(event, retention, now)
    const newest = new Map(dropped.map(({ stream, sequence }) => [stream, sequence]))
    const head = { whole: false, last: last + 1, goneThrough: 0, dropped: dropped.map(({ sequence }) => sequence), gone: [...newest] }
    return { head, sequence: last + 1 }
  }

  /** The oldest events that must go once `event` is there. */
  function overdue(event: NewEvent, retention: Retention, now: number): KeptEvent[] {
    const { maxEvents, maxBytes, maxAgeMs, maxInternalAgeMs = Number.POSITIVE_INFINITY } = retention
    let left = counted.length
    let bytes = countedBytes
    if (!isInternal(event.stream)) {
      left += 1
      bytes += Buffer.byteLength(event.data)
    }
    const dropped: KeptEvent[] = []
    for (const old of counted) {
      if (left <= maxEvents && bytes <= maxBytes && old.createdAt >= now - maxAgeMs) break
      left -= 1
      bytes -= old.bytes
      dropped.push(old)
    }
    for (const old of internal) {
      if (old.createdAt >= now - maxInternalAgeMs) break
      dropped.push(old)
    }
    return dropped
  }

  function planRestore(page: EventPage): ReturnType<SessionEvents['planRestore']> {
    const events = page.events.filter(({ key, sequence }) => !sequences.has(key) && at(sequence) === undefined)
    const newest = Math.max(last, page.last, page.events.at(-1)?.sequence ?? 0)
    return { head: { whole: false, last: newest, goneThrough: page.trimmed ? newestMissing(page) : 0, dropped: [], gone: [] }, events }
  }

  function apply(head: Head, events: readonly EventHead[], frameAt: number, frameBytes: number): void {
    for (const sequence of head.dropped) remove(sequence)
    for (const [stream, sequence] of head.gone) gone.add(stream, sequence)
    gone.addUnknown(head.goneThrough)
    last = Math.max(last, head.last)
    firstSegment = head.whole ? segmentOf(frameAt) : Math.min(firstSegment, segmentOf(frameAt))
    for (const event of events) {
      remove(event.sequence)
      keep({ ...event, frameAt, frameBytes })
    }
  }

  function keep(event: KeptEvent): void {
    const list = isInternal(event.stream) ? internal : counted
    list.splice(indexAfter(list, event.sequence), 0, event)
    sequences.set(event.key, event.sequence)
    account(event, 1)
  }

  function remove(sequence: number): void {
    for (const list of [counted, internal]) {
      const index = indexAfter(list, sequence) - 1
      const event = list[index]
      if (event?.sequence !== sequence) continue
      list.splice(index, 1)
      sequences.delete(event.key)
      account(event, -1)
    }
  }

  function account(event: KeptEvent, sign: 1 | -1): void {
    const bytes = sign * (event.bytes + event.key.length + event.stream.length + eventOverheadBytes)
    diskBytes += bytes
    total.bytes += bytes
    if (!isInternal(event.stream)) countedBytes += sign * event.bytes
  }

  function at(sequence: number): KeptEvent | undefined {
    return [counted, internal].map((list) => list[indexAfter(list, sequence) - 1]).find((event) => event?.sequence === sequence)
  }

  function select(query: EventQuery, now: number): ReturnType<SessionEvents['select']> {
    const streams = query.streams === undefined || query.streams.length === 0 ? undefined : new Set(query.streams)
    const oldestAt = now - query.maxAgeMs
    const events: KeptEvent[] = []
    let trimmed = query.after > last || gone.isAnyAfter(query.after, streams)
    let bytes = 0
    let full = false
    for (const event of inOrder(query.after, streams)) {
      if (event.createdAt < oldestAt) trimmed = true
      else if (!full) {
        full = events.length >= query.limit || (events.length > 0 && bytes + event.bytes > maxPageBytes)
        if (!full) events.push(event)
        bytes += event.bytes
      }
      // Beyond a full page there is one thing left to learn: whether a later event is too old already.
      if (full && (trimmed || oldestAt === Number.NEGATIVE_INFINITY)) break
    }
    return { events, last, trimmed }
  }

  function* inOrder(after: number, streams: ReadonlySet<string> | undefined): Generator<KeptEvent> {
    let [one, other] = [indexAfter(counted, after), indexAfter(internal, after)]
    for (;;) {
      const [a, b] = [counted[one], internal[other]]
      const takeA = a !== undefined && (b === undefined || a.sequence < b.sequence)
      if (takeA) one += 1
      else other += 1
      const next = takeA ? a : b
      if (next === undefined) return
      if (streams === undefined || streams.has(next.stream)) yield next
    }
  }

  return {
    planAppend,
    planRestore,
    apply,
    select,
    at,
    state: () => ({ whole: true, last, goneThrough: gone.unknownThrough(), dropped: [], gone: gone.entries() }),
    stateSegment: () => firstSegment,
    bytes: () => diskBytes,
  }
}

/** Index of the first event with a greater sequence; almost every caller means the end. */
function indexAfter(list: readonly KeptEvent[], sequence: number): number {
  let [low, high] = [0, list.length]
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

function isInternal(stream: string): boolean {
  return stream.startsWith('!')
}
