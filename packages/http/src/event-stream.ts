import type { LastEvent } from './call.ts'
import { type Cursor, type Cursors, streamName } from './cursors.ts'
import { type EventLog, endIndex } from './event-log.ts'
import type { WakeUps } from './wake-ups.ts'

/** Which part of a session's log an SSE response is a tail of. */
export interface StreamQuery {
  readonly sessionId: string
  readonly cursors: Cursors
  /** Send what comes after. */
  readonly from: Cursor
  /** Whether the client takes an event with an id and no data, which gives it a cursor before the first message. */
  readonly isPrimed: boolean
  /** Of a call on this node: what retention may take before this response has read it, such as the first of two large answers. */
  readonly lastEvents?: (() => readonly LastEvent[]) | undefined
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
  /** Called at every look at the log: an open stream counts as access. */
  readonly onLook: () => void
  readonly onClosed: () => void
}

/** Opens a tail. It reads the log when the client takes more, so a slow client costs no memory. */
export function eventStream(query: StreamQuery, options: EventStreamOptions): EventStream {
  const { sessionId, cursors, from } = query
  const { log, wakeUps, retryMs, keepAliveMs, now } = options
  const watch = wakeUps.watch(sessionId)
  let isEnding = false
  const unlogged: string[] = []
  const ended = new Set<string>()
  let place = from
  let sentAt = now()

  async function* frames(): AsyncGenerator<string, void, undefined> {
    try {
      yield firstFrame(query, retryMs)
      for (;;) {
        options.onLook()
        const events = await look(place.sequence)
        if (events === undefined) return
        yield* messageFrames(events)
        if (place.unanswered === 0) return
        if (events.length > 0) continue
        const last = lastFrame()
        if (last !== undefined) return yield last
        if (now() - sentAt >= keepAliveMs) yield keepAliveFrame()
        if (!(await watch.next()) && !isEnding) return
      }
    } finally {
      watch.close()
      options.onClosed()
    }
  }

  function* messageFrames(events: readonly LastEvent[]): Generator<string, void, undefined> {
    for (const { sequence, key, data } of events) {
      const isLast = endIndex(key) !== undefined
      if (isLast) ended.add(key)
      place = { ...place, sequence: Math.max(place.sequence, sequence), unanswered: place.unanswered - (isLast ? 1 : 0) }
      sentAt = now()
      if (data !== '') yield messageFrame(data, cursors.encode(place))
      if (place.unanswered === 0) return
    }
  }

  /** What ends the response once everything in the log is sent. */
  function lastFrame(): string | undefined {
    if (unlogged.length > 0) return unlogged.map((message) => messageFrame(message)).join('')
    return isEnding ? retryFrame(retryMs) : undefined
  }

  function keepAliveFrame(): string {
    sentAt = now()
    return ': keep-alive\n\n'
  }

  /** New events; none while the engine is down, since the stream outlives a short outage; `undefined`: the session has ended. */
  async function look(after: number): Promise<readonly LastEvent[] | undefined> {
    try {
      const page = await log.read(sessionId, streamName(from.opening), after)
      return page === undefined || page.events.length > 0 ? page?.events : trimmedAnswers(page.last)
    } catch {
      return []
    }
  }

  /** Only up to the log's end as it was read: what came since may have messages before it. */
  function trimmedAnswers(last: number): readonly LastEvent[] {
    return (query.lastEvents?.() ?? []).filter(({ key, sequence }) => sequence > from.sequence && sequence <= last && !ended.has(key))
  }

  return {
    frames: frames(),
    cancel() {
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
