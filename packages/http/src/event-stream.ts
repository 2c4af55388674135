import { SessionError } from '@mcp-session/core'
import type { LastEvent } from './call.ts'
import { type Cursor, type Cursors, streamName } from './cursors.ts'
import { type EventLog, endIndex, internalStreams } from './event-log.ts'
import type { Settling } from './orphans.ts'
import type { Presence } from './presence.ts'
import { maxTimerMs, type WakeUps } from './wake-ups.ts'

/** Which part of a session's log an SSE response is a tail of. */
export interface StreamQuery {
  readonly sessionId: string
  readonly presence: Presence
  readonly cursors: Cursors
  /** Send what comes after. */
  readonly from: Cursor
  /** Whether the client takes an event with an id and no data, which gives it a cursor before the first message. */
  readonly isPrimed: boolean
  /** Of a call on this node: what retention may take before this response has read it, such as the first of two large answers. */
  readonly lastEvents?: (() => readonly LastEvent[]) | undefined
  /** Of the standalone stream: sequence of this response's `!listened` frame. A newer one, of any node, ends it. */
  readonly listenedAt?: number | undefined
  /** Instant, epoch ms, at which the token expires that the response was asked for with: it ends then. */
  readonly endsAt?: number | undefined
  /** Of a call: writes the last events that nobody else will write. */
  readonly settling?: Settling | undefined
}

/** The body of one SSE response. */
export interface StreamBody {
  readonly frames: AsyncGenerator<string, void, undefined>
  /** The client has gone: reading ends. */
  cancel(): void
}

/** One SSE response while it is open. */
export interface EventStream extends StreamBody {
  /** Ends the response after what is in the log, with `retry`: the client comes back for the rest. */
  end(): void
  /** Sends a message that the log did not take, after everything that it did take, and ends the response. */
  finish(message: string): void
}

export interface EventStreamOptions {
  readonly log: EventLog
  readonly wakeUps: WakeUps
  readonly retryMs: number
  readonly keepAliveMs: number
  readonly now: () => number
  readonly onClosed: () => void
}

type TailEvent = LastEvent & { readonly stream?: string }

/** Opens a tail. It reads the log when the client takes more, so a slow client costs no memory. */
export function eventStream(query: StreamQuery, options: EventStreamOptions): EventStream {
  const { sessionId, presence, cursors, from } = query
  const { log, wakeUps, retryMs, keepAliveMs, now } = options
  const watch = wakeUps.watch(sessionId)
  const { endsAt = Number.POSITIVE_INFINITY } = query
  const names = query.listenedAt === undefined ? [streamName(from.opening)] : [streamName(from.opening), internalStreams.listened]
  let isEnding = false
  let isOver = false
  let isTrimmed = false
  const unlogged: string[] = []
  const ended = new Set<string>()
  let place = from
  /** Everything up to here was looked at; other streams of the session may have moved it on. */
  let lookedAt = from.sequence
  let sentAt = now()
  // Looks happen at every poll anyway, so a token of more than 24 days needs no second timer.
  const expiry =
    endsAt < Number.POSITIVE_INFINITY ? setTimeout(() => wakeUps.wake(sessionId), timeUntil(endsAt - now())).unref() : undefined

  async function* frames(): AsyncGenerator<string, void, undefined> {
    try {
      yield firstFrame(query, retryMs)
      for (;;) {
        presence.look()
        const events = await look()
        if (events === undefined) return presence.gone()
        yield* messageFrames(events)
        if (place.unanswered === 0 || isOver) return
        if (events.length > 0) continue
        const last = lastFrame()
        if (last !== undefined) return yield last
        if (now() - sentAt >= keepAliveMs) yield keepAliveFrame()
        if (!(await watch.next()) && !isEnding) return
      }
    } finally {
      clearTimeout(expiry)
      watch.close()
      options.onClosed()
    }
  }

  function* messageFrames(events: readonly TailEvent[]): Generator<string, void, undefined> {
    for (const event of events) {
      if (event.stream === internalStreams.listened) {
        isOver ||= event.sequence > (query.listenedAt ?? 0)
        if (isOver) return
        continue
      }
      const isLast = endIndex(event.key) !== undefined
      // The log has something shorter in its place: the answer that it did not take comes next.
      if (isLast && unlogged.length > 0) return
      pass(event, isLast)
      if (event.data !== '') yield messageFrame(event.data, cursors.encode(place))
      if (place.unanswered === 0) return
    }
  }

  function pass({ sequence, key }: TailEvent, isLast: boolean): void {
    if (isLast) ended.add(key)
    place = { ...place, sequence: Math.max(place.sequence, sequence), unanswered: place.unanswered - (isLast ? 1 : 0) }
    sentAt = now()
  }

  /** What ends the response once everything in the log is sent. */
  function lastFrame(): string | undefined {
    if (unlogged.length > 0) return unlogged.map((message) => messageFrame(message)).join('')
    return isEnding || now() >= endsAt ? retryFrame(retryMs) : undefined
  }

  function keepAliveFrame(): string {
    sentAt = now()
    return ': keep-alive\n\n'
  }

  /** New events; none while the engine is down, since the stream outlives a short outage; `undefined`: the session has ended. */
  async function look(): Promise<readonly TailEvent[] | undefined> {
    try {
      const events = await newEvents()
      if (events === undefined || events.length > 0 || unlogged.length > 0 || query.settling === undefined) return events
      const settled = await query.settling.settle(lookedAt, isTrimmed)
      if (settled === 'over') isOver = true
      if (typeof settled === 'object') unlogged.push(...settled.map((answer) => JSON.stringify(answer)))
      return settled === 'written' ? await newEvents() : []
    } catch (error) {
      query.settling?.doubt()
      // The handler was closed: nothing will ever come.
      if (SessionError.is(error, 'MCP_SESSION_CLOSED')) isEnding = true
      return []
    }
  }

  async function newEvents(): Promise<readonly TailEvent[] | undefined> {
    const page = await log.read(sessionId, names, lookedAt)
    if (page === undefined) return undefined
    isTrimmed = page.trimmed
    if (page.events.length === 0) {
      const kept = trimmedAnswers(page.last)
      // Nothing up to there appears any more (law events/no-late-arrivals), and the next look need not step over it again. A page
      // that has lost damaged events counts as trimmed, and may end before that.
      if (!page.trimmed) lookedAt = Math.max(lookedAt, page.last)
      return kept
    }
    lookedAt = page.events.at(-1)?.sequence ?? lookedAt
    return page.events
  }

  /** Only up to the log's end as it was read: what came since may have messages before it. */
  function trimmedAnswers(last: number): readonly LastEvent[] {
    return (query.lastEvents?.() ?? []).filter(({ key, sequence }) => sequence > from.sequence && sequence <= last && !ended.has(key))
  }

  return {
    frames: frames(),
    cancel() {
      clearTimeout(expiry)
      watch.close()
      options.onClosed()
    },
    end() {
      isEnding = true
      watch.close()
    },
    finish(message) {
      unlogged.push(message)
      wakeUps.wake(sessionId)
    },
  }
}

function timeUntil(ms: number): number {
  return Math.max(0, Math.min(ms, maxTimerMs))
}

function firstFrame({ cursors, from, isPrimed }: StreamQuery, retryMs: number): string {
  if (!isPrimed) return retryFrame(retryMs)
  return `retry: ${retryMs}\nid: ${cursors.encode(from)}\ndata: \n\n`
}

function retryFrame(retryMs: number): string {
  return `retry: ${retryMs}\n\n`
}

function messageFrame(message: string, id?: string): string {
  return id === undefined ? `event: message\ndata: ${message}\n\n` : `event: message\nid: ${id}\ndata: ${message}\n\n`
}
