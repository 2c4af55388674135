import { createHash } from 'node:crypto'

/** A place in one stream of a session's event log: what an SSE event id stands for. */
export interface Cursor {
  /** Sequence of the stream's opening frame; 0: the standalone stream. */
  readonly opening: number
  /** Sequence of the event, or of the opening frame itself. */
  readonly sequence: number
  /** Calls whose last event comes after it; `Infinity` on the standalone stream, which has no end. */
  readonly unanswered: number
}

/** Name of the standalone stream in a session's event log. */
export const standaloneStream = 'standalone'

/** Name in the event log of the stream that an opening frame opened. */
export function streamName(opening: number): string {
  return opening === 0 ? standaloneStream : `post.${opening}`
}

/**
 * The event ids of one session: `<opening>.<sequence>.<unanswered>.<tag>`. The tag makes an id of another session recognizable; it
 * is a digest, so that an event id in a log does not give the session id away.
 */
export interface Cursors {
  encode(cursor: Cursor): string
  /** `undefined`: malformed, or of another session. */
  decode(eventId: string): Cursor | undefined
}

export function cursorsOf(sessionId: string): Cursors {
  const tag = createHash('sha256').update(`event-id\n${sessionId}`).digest('base64url').slice(0, 8)
  return {
    encode: ({ opening, sequence, unanswered }) => `${opening}.${sequence}.${opening === 0 ? 0 : unanswered}.${tag}`,
    decode(eventId) {
      const match = /^(0|[1-9]\d{0,15})\.(0|[1-9]\d{0,15})\.(0|[1-9]\d{0,2})\.([\w-]{8})$/.exec(eventId)
      if (match === null || match[4] !== tag) return undefined
      const opening = Number(match[1])
      const sequence = Number(match[2])
      const unanswered = opening === 0 ? Number.POSITIVE_INFINITY : Number(match[3])
      const possible = Number.isSafeInteger(opening) && Number.isSafeInteger(sequence) && sequence >= opening
      return possible ? { opening, sequence, unanswered } : undefined
    },
  }
}
