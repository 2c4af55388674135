import type { EventLog, EventPage, SessionBackend } from '@mcp-session/core/backend'
import { alteredBackend } from '../../src/altered-backend.ts'
import { type Plant, remembered } from './plant.ts'

const never = Number.POSITIVE_INFINITY
const everything = { after: 0, limit: 10_000, maxAgeMs: never }

export const eventRetentionPlants: readonly Plant[] = [
  {
    id: 'events/nothing-is-trimmed',
    law: 'events/retention',
    plant: (backend) =>
      withLog(backend, (log) => ({
        append: (id, event, _, call) => log.append(id, event, { maxEvents: never, maxBytes: never, maxAgeMs: never }, call),
      })),
  },
  {
    id: 'events/the-newest-is-trimmed-too',
    law: 'events/retention',
    plant(backend, engine) {
      const gone = remembered(engine, 'gone', () => new Set<string>())
      return withLog(backend, (log) => ({
        append(id, event, retention, call) {
          if (retention.maxEvents === 0 || event.data.length > retention.maxBytes) gone.add(event.key)
          return log.append(id, event, retention, call)
        },
        async read(id, query, call) {
          const page = await log.read(id, query, call)
          return page === undefined ? undefined : { ...page, events: page.events.filter(({ key }) => !gone.has(key)) }
        },
      }))
    },
  },
  {
    id: 'events/internal-streams-are-trimmed',
    law: 'events/retention',
    plant: (backend) =>
      withLog(backend, (log) => ({
        append: (id, event, retention, call) => log.append(id, { ...event, stream: event.stream.replace(/^!/, '¡') }, retention, call),
        async read(id, query, call) {
          const streams = query.streams?.map((stream) => stream.replace(/^!/, '¡'))
          const page = await log.read(id, { ...query, ...(streams === undefined ? {} : { streams }) }, call)
          return page === undefined
            ? undefined
            : { ...page, events: page.events.map((event) => ({ ...event, stream: event.stream.replace(/^¡/, '!') })) }
        },
      })),
  },
  {
    id: 'events/internal-streams-are-never-trimmed',
    law: 'events/retention',
    plant: (backend) =>
      withLog(backend, (log) => ({
        append: (id, event, { maxInternalAgeMs: _, ...retention }, call) => log.append(id, event, retention, call),
      })),
  },
  {
    id: 'events/internal-streams-have-the-age-of-the-others',
    law: 'events/retention',
    plant: (backend) =>
      withLog(backend, (log) => ({
        append: (id, event, retention, call) => log.append(id, event, { ...retention, maxInternalAgeMs: retention.maxAgeMs }, call),
      })),
  },
  {
    id: 'events/bytes-are-counted-as-characters',
    law: 'events/retention',
    plant: (backend) =>
      withLog(backend, (log) => ({
        append: (id, event, retention, call) =>
          log.append(
            id,
            event,
            { ...retention, maxBytes: (retention.maxBytes * Buffer.byteLength(event.data)) / (event.data.length || 1) },
            call,
          ),
      })),
  },
  {
    id: 'events/one-more-than-max-events',
    law: 'events/retention',
    plant: (backend) =>
      withLog(backend, (log) => ({
        append: (id, event, retention, call) => log.append(id, event, { ...retention, maxEvents: retention.maxEvents + 1 }, call),
      })),
  },
  {
    id: 'events/trimmed-is-never-said',
    law: 'events/trimmed',
    plant: (backend) => onPages(backend, (page) => ({ ...page, trimmed: false })),
  },
  {
    id: 'events/trimmed-of-any-stream',
    law: 'events/trimmed',
    plant: (backend) =>
      withLog(backend, (log) => ({
        async read(id, query, call) {
          const page = await log.read(id, query, call)
          const { streams: _, ...all } = query
          return page === undefined ? undefined : { ...page, trimmed: (await log.read(id, all, call))?.trimmed ?? false }
        },
      })),
  },
  {
    id: 'events/trimmed-whatever-was-seen',
    law: 'events/trimmed',
    plant: (backend) =>
      withLog(backend, (log) => ({
        async read(id, query, call) {
          const page = await log.read(id, query, call)
          return page === undefined
            ? undefined
            : { ...page, trimmed: page.trimmed || ((await log.read(id, { ...query, after: 0 }, call))?.trimmed ?? false) }
        },
      })),
  },
  {
    id: 'events/beyond-last-is-not-noticed',
    law: 'events/trimmed',
    plant: (backend) =>
      withLog(backend, (log) => ({
        async read(id, query, call) {
          const page = await log.read(id, query, call)
          return page === undefined ? undefined : { ...page, trimmed: page.trimmed && query.after <= page.last }
        },
      })),
  },
  {
    id: 'events/restore-numbers-anew',
    law: 'events/restore',
    plant: (backend) =>
      withLog(backend, (log) => ({
        async restore(id, page, call) {
          for (const event of page.events) await log.append(id, event, { maxEvents: never, maxBytes: never, maxAgeMs: never }, call)
          return (await log.read(id, everything, call)) !== undefined
        },
      })),
  },
  {
    id: 'events/restore-forgets-last',
    law: 'events/restore',
    plant: (backend) =>
      withLog(backend, (log) => ({
        restore: (id, page, call) => log.restore(id, { ...page, last: page.events.at(-1)?.sequence ?? 0 }, call),
      })),
  },
  {
    id: 'events/restore-stamps-its-own-instants',
    law: 'events/restore',
    plant: (backend) =>
      withLog(backend, (log) => ({
        restore: (id, page, call) =>
          log.restore(id, { ...page, events: page.events.map((event) => ({ ...event, createdAt: call.now })) }, call),
      })),
  },
  {
    id: 'events/restore-overwrites',
    law: 'events/restore',
    plant(backend, engine) {
      const restored = remembered(engine, 'restored', () => new Map<string, string>())
      return withLog(backend, (log) => ({
        restore(id, page, call) {
          for (const event of page.events) restored.set(`${id} ${event.sequence}`, event.data)
          return log.restore(id, page, call)
        },
        async read(id, query, call) {
          const page = await log.read(id, query, call)
          if (page === undefined) return undefined
          return {
            ...page,
            events: page.events.map((event) => ({ ...event, data: restored.get(`${id} ${event.sequence}`) ?? event.data })),
          }
        },
      }))
    },
  },
  {
    id: 'events/restore-always-succeeds',
    law: 'events/restore',
    plant: (backend) =>
      withLog(backend, (log) => ({
        async restore(id, page, call) {
          await log.restore(id, page, call)
          return true
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
