import { type EventStream, type EventStreamOptions, eventStream, type StreamBody, type StreamQuery } from './event-stream.ts'

/** The SSE responses that are open on this node. Of each stream the newest is the one that counts. */
export interface OpenStreams {
  /** Opens a tail; an older response for the same stream ends, so that no message is sent twice. */
  open(query: StreamQuery): StreamBody
  has(sessionId: string, opening: number): boolean
  /** Ends the response with `retry`: the client comes back. */
  end(sessionId: string, opening: number): void
  /** Sends a message that the log did not take; false: no response is open here. */
  finish(sessionId: string, opening: number, message: string): boolean
  /** Ends the standalone streams, or all. */
  endAll(which: 'standalone' | 'all'): void
  size(): number
}

export type OpenStreamsOptions = Omit<EventStreamOptions, 'onLook' | 'onClosed'> & {
  /** Makes what is called at every look at the log for one open stream. */
  readonly lookout: (sessionId: string) => () => void
}

export function openStreams(options: OpenStreamsOptions): OpenStreams {
  const streams = new Map<string, { readonly opening: number; readonly stream: EventStream }>()
  const keyOf = (sessionId: string, opening: number): string => `${opening}\n${sessionId}`

  return {
    open(query) {
      const { sessionId } = query
      const { opening } = query.from
      const key = keyOf(sessionId, opening)
      streams.get(key)?.stream.cancel()
      const stream = eventStream(query, {
        ...options,
        onLook: options.lookout(sessionId),
        onClosed() {
          if (streams.get(key)?.stream === stream) streams.delete(key)
        },
      })
      streams.set(key, { opening, stream })
      return stream
    },
    has: (sessionId, opening) => streams.has(keyOf(sessionId, opening)),
    end(sessionId, opening) {
      streams.get(keyOf(sessionId, opening))?.stream.end()
    },
    finish(sessionId, opening, message) {
      const open = streams.get(keyOf(sessionId, opening))
      open?.stream.finish(message)
      return open !== undefined
    },
    endAll(which) {
      for (const { opening, stream } of [...streams.values()]) if (which === 'all' || opening === 0) stream.end()
    },
    size: () => streams.size,
  }
}
