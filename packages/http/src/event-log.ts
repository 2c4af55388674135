import type { SessionEvents, SessionSignals } from '@mcp-session/core'
import type { EventPage, Retention } from '@mcp-session/core/backend'
import { streamName } from './cursors.ts'
import type { WakeUps } from './wake-ups.ts'

/** Streams of a session's log that no client sees. */
export const internalStreams = {
  /** One frame per SSE stream of a POST: its sequence names the stream, its data are an {@link OpeningFrame}. */
  opened: '!opened',
  /**
   * One frame per SSE response for the standalone stream, of whichever node: the newest response is the one that counts. From the
   * first one on a GET without a cursor starts at the present.
   */
  listened: '!listened',
} as const

/**
 * Messages of the client for a live server on another node. No client sees it either, but what clients put there counts within the
 * retention of their session, so that nobody fills a store with it.
 */
export const inboxStream = 'inbox'

/** What a POST's stream is for; the node is the one that runs its calls. */
export interface OpeningFrame {
  readonly requests: readonly (string | number)[]
  readonly node: string
}

/** The event log of all sessions of one handler: append first, then wake the readers. */
export interface EventLog {
  /** The event's sequence; `undefined`: the session has ended. A repeated `key` stores nothing. */
  append(sessionId: string, stream: string, data: string, options?: AppendOptions): Promise<number | undefined>
  /** A page of one stream or several after a sequence; `undefined`: the session has ended. */
  read(sessionId: string, streams: string | readonly string[], after: number, limit?: number): Promise<EventPage | undefined>
  /** Tells the readers of all nodes to look at a session now instead of at their next poll. */
  announce(sessionId: string): void
  close(): Promise<void>
}

export interface AppendOptions {
  /** Default: a new one. */
  readonly key?: string
  /** Default true: a signal to other nodes. A stream that is read on this node needs none. */
  readonly announced?: boolean
}

/** The key of a call's last event. Of two writers of one key only the first stores anything: an answer is written once. */
export function endKey(opening: number, index: number): string {
  return `${endPrefix}${streamName(opening)}.${index}`
}

/** Which of the stream's requests the event is the last of; `undefined`: it ends none. */
export function endIndex(key: string): number | undefined {
  return key.startsWith(endPrefix) ? Number(key.slice(key.lastIndexOf('.') + 1)) : undefined
}

const endPrefix = 'end.'
const pageLimit = 100

export interface EventLogOptions {
  readonly events: SessionEvents
  readonly signals: SessionSignals | undefined
  readonly channel: string
  readonly retention: Retention
  /** Nonce of this node: keys are unique in the cluster. */
  readonly node: string
  readonly wakeUps: WakeUps
}

export async function openEventLog(options: EventLogOptions): Promise<EventLog> {
  const { events, signals, channel, retention, node, wakeUps } = options
  const unsubscribe = await signals?.subscribe(channel, (sessionId) => wakeUps.wake(sessionId))
  let count = 0

  function announce(sessionId: string): void {
    wakeUps.wake(sessionId)
    // A signal is a hint: whoever misses it looks at the next poll.
    signals?.publish(channel, sessionId).catch(() => {})
  }

  return {
    async append(sessionId, stream, data, { key = `${node}.${++count}`, announced = true } = {}) {
      const sequence = await events.append(sessionId, { key, stream, data }, retention)
      if (announced) announce(sessionId)
      else wakeUps.wake(sessionId)
      return sequence
    },
    read(sessionId, stream, after, limit = pageLimit) {
      const streams = typeof stream === 'string' ? [stream] : stream
      // Internal frames are exempt from retention, in age as in number.
      const maxAgeMs = streams.every((name) => name.startsWith('!')) ? Number.POSITIVE_INFINITY : retention.maxAgeMs
      return events.read(sessionId, { streams, after, limit, maxAgeMs })
    },
    announce,
    async close() {
      await unsubscribe?.()
    },
  }
}
