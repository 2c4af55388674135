import type { EventLog, EventPage, SessionBackend } from '@mcp-session/core/backend'
import { alteredBackend } from '../../src/altered-backend.ts'
import { nextTurn } from '../../src/eventually.ts'
import { type Plant, remembered } from './plant.ts'

const never = Number.POSITIVE_INFINITY
const everything = { after: 0, limit: 10_000, maxAgeMs: never }

export const eventPlants: readonly Plant[] = [
  {
    id: 'events/sequences-are-used-again-after-trimming',
    law: 'events/sequence',
    plant: (backend) =>
      withLog(backend, (log) => ({
        async append(id, event, retention, call) {
          const page = await log.read(id, everything, call)
          const sequence = await log.append(id, event, retention, call)
          return page === undefined || sequence === undefined ? sequence : page.events.length + 1
        },
      })),
  },
  {
    id: 'events/each-stream-counts-by-itself',
    law: 'events/sequence',
    plant: (backend) =>
      withLog(backend, (log) => ({
        async append(id, event, retention, call) {
          const sequence = await log.append(id, event, retention, call)
          const page = await log.read(id, { ...everything, streams: [event.stream] }, call)
          return sequence === undefined ? undefined : page?.events.length
        },
      })),
  },
  {
    id: 'events/each-node-counts-from-one',
    law: 'events/sequence',
    plant(backend) {
      const counts = new Map<string, number>()
      return withLog(backend, (log) => ({
        async append(id, event, retention, call) {
          const sequence = await log.append(id, event, retention, call)
          if (sequence === undefined) return undefined
          counts.set(id, (counts.get(id) ?? 0) + 1)
          return counts.get(id)
        },
      }))
    },
  },
  {
    id: 'events/numbered-first-and-stored-later',
    law: 'events/no-late-arrivals',
    plant(backend, engine) {
      const counts = remembered(engine, 'counts', () => new Map<string, number>())
      return withLog(backend, (log) => ({
        async append(id, event, _, call) {
          if ((await log.read(id, everything, call)) === undefined) return undefined
          const sequence = (counts.get(id) ?? 0) + 1
          counts.set(id, sequence)
          for (let turns = 0; turns < (sequence % 3) * 3; turns += 1) await nextTurn()
          await log.restore(id, { events: [{ ...event, sequence, createdAt: call.now }], last: sequence, trimmed: false }, call)
          return sequence
        },
      }))
    },
  },
  {
    id: 'events/a-repeated-key-is-stored-again',
    law: 'events/idempotent',
    plant(backend) {
      let appended = 0
      return withLog(backend, (log) => ({
        append(id, event, retention, call) {
          appended += 1
          return log.append(id, { ...event, key: `${event.key}~${appended}`.slice(-255) }, retention, call)
        },
        async read(id, query, call) {
          const page = await log.read(id, query, call)
          return page === undefined
            ? undefined
            : { ...page, events: page.events.map((event) => ({ ...event, key: event.key.replace(/~\d+$/, '') })) }
        },
      }))
    },
  },
  {
    id: 'events/a-repeated-key-gets-the-newest-sequence',
    law: 'events/idempotent',
    plant: (backend) =>
      withLog(backend, (log) => ({
        async append(id, event, retention, call) {
          const sequence = await log.append(id, event, retention, call)
          return sequence === undefined ? undefined : (await log.read(id, { ...everything, limit: 1 }, call))?.last
        },
      })),
  },
  {
    id: 'events/a-repeated-key-changes-the-first',
    law: 'events/idempotent',
    plant(backend, engine) {
      const newest = remembered(engine, 'newest', () => new Map<string, string>())
      return withLog(backend, (log) => ({
        append(id, event, retention, call) {
          newest.set(`${id} ${event.key}`, event.data)
          return log.append(id, event, retention, call)
        },
        async read(id, query, call) {
          const page = await log.read(id, query, call)
          return page === undefined
            ? undefined
            : { ...page, events: page.events.map((event) => ({ ...event, data: newest.get(`${id} ${event.key}`) ?? event.data })) }
        },
      }))
    },
  },
  {
    id: 'events/keys-are-shared-by-all-sessions',
    law: 'events/idempotent',
    plant(backend, engine) {
      const known = remembered(engine, 'known', () => new Map<string, number>())
      return withLog(backend, (log) => ({
        async append(id, event, retention, call) {
          const first = known.get(event.key)
          if (first !== undefined) return first
          const sequence = await log.append(id, event, retention, call)
          if (sequence !== undefined) known.set(event.key, sequence)
          return sequence
        },
      }))
    },
  },
  {
    id: 'events/append-needs-no-session',
    law: 'events/needs-live-session',
    plant: (backend) =>
      withLog(backend, (log) => ({ append: async (id, event, retention, call) => (await log.append(id, event, retention, call)) ?? 1 })),
  },
  {
    id: 'events/append-to-the-expired',
    law: 'events/needs-live-session',
    plant: (backend) =>
      withLog(backend, (log) => ({ append: (id, event, retention, call) => log.append(id, event, retention, { ...call, now: 1 }) })),
  },
  {
    id: 'events/no-session-has-no-events',
    law: 'events/needs-live-session',
    plant: (backend) =>
      withLog(backend, (log) => ({
        read: async (id, query, call) => (await log.read(id, query, call)) ?? { events: [], last: 0, trimmed: false },
      })),
  },
  {
    id: 'events/after-includes-itself',
    law: 'events/read',
    plant: (backend) =>
      withLog(backend, (log) => ({ read: (id, query, call) => log.read(id, { ...query, after: Math.max(0, query.after - 1) }, call) })),
  },
  {
    id: 'events/streams-are-not-told-apart',
    law: 'events/read',
    plant: (backend) => withLog(backend, (log) => ({ read: (id, { streams: _, ...query }, call) => log.read(id, query, call) })),
  },
  {
    id: 'events/newest-first',
    law: 'events/read',
    plant: (backend) => onPages(backend, (page) => ({ ...page, events: [...page.events].reverse() })),
  },
  {
    id: 'events/limit-is-not-looked-at',
    law: 'events/read',
    plant: (backend) => withLog(backend, (log) => ({ read: (id, query, call) => log.read(id, { ...query, limit: 10_000 }, call) })),
  },
  {
    id: 'events/too-old-one-millisecond-early',
    law: 'events/read',
    plant: (backend) =>
      withLog(backend, (log) => ({ read: (id, query, call) => log.read(id, { ...query, maxAgeMs: query.maxAgeMs - 1 }, call) })),
  },
  {
    id: 'events/pages-without-end-of-bytes',
    law: 'events/read',
    plant: (backend) =>
      withLog(backend, (log) => ({
        async read(id, query, call) {
          const first = await log.read(id, query, call)
          if (first === undefined) return undefined
          const events = [...first.events]
          for (let more = events.length > 0; more && events.length < query.limit; ) {
            const next = await log.read(id, { ...query, after: events.at(-1)?.sequence ?? 0, limit: query.limit - events.length }, call)
            more = next !== undefined && next.events.length > 0
            events.push(...(next?.events ?? []))
          }
          return { ...first, events }
        },
      })),
  },
  {
    id: 'events/created-when-read',
    law: 'events/read',
    plant: (backend) =>
      withLog(backend, (log) => ({
        async read(id, query, call) {
          const page = await log.read(id, query, call)
          return page === undefined ? undefined : { ...page, events: page.events.map((event) => ({ ...event, createdAt: Date.now() })) }
        },
      })),
  },
]

function withLog(backend: SessionBackend, methods: (log: EventLog) => Partial<EventLog>): SessionBackend {
  const { events } = backend
  if (events === undefined) throw new Error('the simulated engine has events')
  return alteredBackend(backend, { events: methods(events) })
}

function onPages(backend: SessionBackend, change: (page: EventPage) => EventPage): SessionBackend {
  return withLog(backend, (log) => ({
    async read(id, query, call) {
      const page = await log.read(id, query, call)
      return page === undefined ? undefined : change(page)
    },
  }))
}
