import type { EventStore } from '@modelcontextprotocol/server'

export type SessionEvents = Required<EventStore>

/** The messages of one session, in memory, as the SDK's transport wants them for streams that can be resumed. */
export function sessionEvents(): SessionEvents {
  const events: { readonly stream: string; readonly message: Parameters<EventStore['storeEvent']>[1] }[] = []
  const streamOf = (id: string) => events[Number(id) - 1]?.stream
  return {
    async storeEvent(stream, message) {
      events.push({ stream, message })
      return String(events.length)
    },
    async getStreamIdForEventId(id) {
      return streamOf(id)
    },
    async replayEventsAfter(id, { send }) {
      const stream = streamOf(id)
      if (stream === undefined) throw new RangeError(`There is no event ${id}`)
      for (const [index, event] of events.entries()) {
        // The transport also stores the event that opens a stream; it has no message.
        if (index >= Number(id) && event.stream === stream && 'jsonrpc' in event.message) await send(String(index + 1), event.message)
      }
      return stream
    },
  }
}
