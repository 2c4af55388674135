import { type EventStream, type EventStreamOptions, eventStream, type StreamBody, type StreamQuery } from './event-stream.ts'

/** The SSE responses that are open on this node. Of each stream the newest is the one that counts. */
export interface OpenStreams {
  /** Opens a tail; an older response for the same stream ends, so that no message is sent twice. */
  open(query: StreamQuery): StreamBody
  has(sessionId: string, opening: number): boolean
  /** Whether any response is open for that session. */
  hasAny(sessionId: string): boolean
  /** Ends the response with `retry`: the client comes back. */
  end(sessionId: string, opening: number): void
  /** Sends a message that the log did not take; false: no response is open here. */
  finish(sessionId: string, opening: number, message: string): boolean
  /** Ends the standalone streams, or all, those that are still to be opened included. */
  endAll(which: 'standalone' | 'all'): void
  size(): number
}

export type OpenStreamsOptions = Omit<EventStreamOptions, 'onClosed'>

export function openStreams(options: OpenStreamsOptions): OpenStreams {
  const streams = new Map<string, { readonly opening: number; readonly listenedAt: number; readonly stream: EventStream }>()
  const counts = new Map<string, number>()
  let isClosed = false
  const keyOf = (sessionId: string, opening: number): string => `${opening}\n${sessionId}`

  function count(sessionId: string, more: number): void {
    const open = (counts.get(sessionId) ?? 0) + more
    if (open > 0) counts.set(sessionId, open)
    else counts.delete(sessionId)
  }

  return {
    open(query) {
      const { sessionId } = query
      const { opening } = query.from
      const key = keyOf(sessionId, opening)
      const current = streams.get(key)
      // Its request came later, although this one is answered later: this one ends itself, as soon as it sees the other's frame.
      const isOutdated = current !== undefined && current.listenedAt > (query.listenedAt ?? Number.POSITIVE_INFINITY)
      if (!isOutdated) current?.stream.cancel()
      const stream = eventStream(query, {
        ...options,
        onClosed() {
          if (isOpen) count(sessionId, -1)
          isOpen = false
          if (streams.get(key)?.stream === stream) streams.delete(key)
        },
      })
      let isOpen = true
      count(sessionId, 1)
      if (!isOutdated) streams.set(key, { opening, listenedAt: query.listenedAt ?? 0, stream })
      if (isClosed) stream.end()
      return stream
    },
    has: (sessionId, opening) => streams.has(keyOf(sessionId, opening)),
    hasAny: (sessionId) => counts.has(sessionId),
    end(sessionId, opening) {
      streams.get(keyOf(sessionId, opening))?.stream.end()
    },
    finish(sessionId, opening, message) {
      const open = streams.get(keyOf(sessionId, opening))
      open?.stream.finish(message)
      return open !== undefined
    },
    endAll(which) {
      isClosed ||= which === 'all'
      for (const { opening, stream } of [...streams.values()]) if (which === 'all' || opening === 0) stream.end()
    },
    size: () => streams.size,
  }
}
