import type { Call } from './backend.ts'

/** The outgoing messages of sessions, for resuming streams. */
export interface EventLog {
  /** The event's sequence; `undefined`: the session is not live. */
  append(sessionId: string, event: NewEvent, retention: Retention, call: Call): Promise<number | undefined>
  /** `undefined`: the session is not live. */
  read(sessionId: string, query: EventQuery, call: Call): Promise<EventPage | undefined>
  /** For migration, see `events/restore`. `false`: the session is not live. */
  restore(sessionId: string, page: EventPage, call: Call): Promise<boolean>
}

export interface NewEvent {
  /** The writer's nonce, 1–255 characters of visible ASCII: makes `append` idempotent. */
  readonly key: string
  /** 1–255 characters, well-formed, without NUL. Streams that begin with `!` are exempt from retention but for `maxInternalAgeMs`. */
  readonly stream: string
  /** At most 4 MiB of well-formed UTF-8 without NUL. */
  readonly data: string
}

export interface StoredEvent extends NewEvent {
  /** Strictly increasing within the session; 1 or more. */
  readonly sequence: number
  /** `call.now` of the append that stored it. */
  readonly createdAt: number
}

export interface EventQuery {
  /** Absent: all streams. */
  readonly streams?: readonly string[]
  /** Events with a greater sequence only; 0: from the beginning. */
  readonly after: number
  /** 1–10,000 events. */
  readonly limit: number
  /** Events with `createdAt < call.now - maxAgeMs` are skipped; `Infinity`: none. */
  readonly maxAgeMs: number
}

/** Bounds of what a session's log keeps, applied by `append`. `Infinity` in any: no such bound. */
export interface Retention {
  readonly maxEvents: number
  readonly maxAgeMs: number
  /** Of the UTF-8 bytes of `data`. */
  readonly maxBytes: number
  /** Age of events of streams that begin with `!`. Absent: they stay as long as the session. */
  readonly maxInternalAgeMs?: number
}

export interface EventPage {
  readonly events: readonly StoredEvent[]
  /** The newest sequence of the session, whatever its stream; 0: none yet. */
  readonly last: number
  readonly trimmed: boolean
}
