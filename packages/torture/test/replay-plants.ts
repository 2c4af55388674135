import { crc32 } from 'node:zlib'
import type { Call, EventLog, EventPage, EventQuery, SessionBackend, StoredEvent } from '@mcp-session/core/backend'

/** A read of a client's stream, and what the engine gave. */
interface Reading {
  readonly sessionId: string
  readonly query: EventQuery
  readonly page: EventPage
  /** The same read, but for these members. */
  again(changes: Partial<EventQuery>): Promise<EventPage>
}

type Plant = (backend: SessionBackend) => SessionBackend

/** Bugs of a replay, between the store and the engine. */
export const replayPlants: Readonly<Record<string, Plant>> = {
  "includes another stream's events": reading(async ({ again }) => {
    const page = await again({ streams: [] })
    return page.events.filter(({ stream }) => !stream.startsWith('!'))
  }),
  "includes another session's event"(backend) {
    const seen = new Map<string, StoredEvent>()
    return reading(async ({ sessionId, page: { events } }) => {
      const [first] = events
      const foreign = [...seen].find(([other]) => other !== sessionId)?.[1]
      if (first !== undefined) seen.set(sessionId, first)
      const last = events.at(-1)
      return foreign === undefined || last === undefined
        ? events
        : [...events, resealed(sessionId, { ...foreign, sequence: last.sequence })]
    })(backend)
  },
  'loses an event': reading(async ({ page: { events } }) => (events.length < 3 ? events : events.toSpliced(1, 1))),
  'reverses the order': reading(async ({ page: { events } }) => events.toReversed()),
  'begins one event too early': reading(async ({ query, page, again }) =>
    query.after === 0 || page.events.length === 0 ? page.events : (await again({ after: query.after - 1 })).events,
  ),
  'begins one event too late': reading(async ({ page: { events } }) => (events.length < 2 ? events : events.slice(1))),
  'gives an event twice': reading(async ({ page: { events } }) => (events.length < 2 ? events : events.flatMap((event) => [event, event]))),
}

function reading(mangle: (reading: Reading) => Promise<readonly StoredEvent[]>): Plant {
  return (backend) => {
    const { events: log } = backend
    if (log === undefined) throw new TypeError('the backend has no event log')
    return { ...backend, events: { ...log, read: mangledRead(log, mangle) } }
  }
}

function mangledRead(log: EventLog, mangle: (reading: Reading) => Promise<readonly StoredEvent[]>): EventLog['read'] {
  return async (sessionId: string, query: EventQuery, call: Call) => {
    const page = await log.read(sessionId, query, call)
    // What the adapter writes for itself stays as it is, and its look at a single event.
    const isInternal = query.streams?.some((stream) => stream.startsWith('!')) ?? true
    if (page === undefined || isInternal || query.limit === 1) return page
    const again: Reading['again'] = async (changes) => (await log.read(sessionId, { ...query, ...changes }, call)) ?? page
    return { ...page, events: await mangle({ sessionId, query, page, again }) }
  }
}

/** With the checksum that the store expects there: else the store itself would see the bug. */
function resealed(sessionId: string, event: StoredEvent): StoredEvent {
  const data = event.data.slice(9)
  const sum = crc32(data, crc32(`${sessionId}\n${event.key}\n${event.stream}\n`))
  return { ...event, data: `1${sum.toString(16).padStart(8, '0')}${data}` }
}
