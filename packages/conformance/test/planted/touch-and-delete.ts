import type { EventPage, SessionRecord } from '@mcp-session/core/backend'
import { alteredBackend } from '../../src/altered-backend.ts'
import { nextTurn } from '../../src/eventually.ts'
import { type Plant, put, remembered } from './plant.ts'

const everything = { after: 0, limit: 1_000, maxAgeMs: Number.POSITIVE_INFINITY }

export const touchAndDeletePlants: readonly Plant[] = [
  {
    id: 'touch/goes-back',
    law: 'touch/forward-only',
    plant: (backend) =>
      alteredBackend(backend, {
        async touch(touch, call) {
          const record = await backend.get(touch.id, call)
          if (record?.rev !== touch.rev) return backend.touch(touch, call)
          const { lastAccessedAt, expiresAt } = touch
          return (await backend.replace({ ...record, lastAccessedAt, expiresAt }, touch.rev, call)).replaced ? 'touched' : 'moved'
        },
      }),
  },
  {
    id: 'touch/moves-both-or-none',
    law: 'touch/forward-only',
    plant: (backend) =>
      alteredBackend(backend, {
        async touch(touch, call) {
          const record = await backend.get(touch.id, call)
          const back = record?.rev === touch.rev && (touch.expiresAt < record.expiresAt || touch.lastAccessedAt < record.lastAccessedAt)
          return back ? 'touched' : backend.touch(touch, call)
        },
      }),
  },
  {
    id: 'touch/says-moved-when-it-was-later-already',
    law: 'touch/forward-only',
    plant: (backend) =>
      alteredBackend(backend, {
        async touch(touch, call) {
          const record = await backend.get(touch.id, call)
          if (record?.rev === touch.rev && touch.lastAccessedAt <= record.lastAccessedAt) return 'moved'
          return backend.touch(touch, call)
        },
      }),
  },
  {
    id: 'touch/moves-only-the-deadline',
    law: 'touch/forward-only',
    plant: (backend) => alteredBackend(backend, { touch: (touch, call) => backend.touch({ ...touch, lastAccessedAt: 0 }, call) }),
  },
  {
    id: 'touch/ignores-the-rev',
    law: 'touch/only-its-rev',
    plant: (backend) =>
      alteredBackend(backend, {
        touch: async (touch, call) => backend.touch({ ...touch, rev: (await backend.get(touch.id, call))?.rev ?? touch.rev }, call),
      }),
  },
  {
    id: 'touch/revives-the-expired',
    law: 'touch/only-its-rev',
    plant: (backend) =>
      alteredBackend(backend, {
        async touch(touch, call) {
          const result = await backend.touch(touch, call)
          return result === 'missing' ? backend.touch(touch, { ...call, now: 1 }) : result
        },
      }),
  },
  {
    id: 'touch/says-missing-for-another-rev',
    law: 'touch/only-its-rev',
    plant: (backend) =>
      alteredBackend(backend, {
        async touch(touch, call) {
          const result = await backend.touch(touch, call)
          return result === 'moved' ? 'missing' : result
        },
      }),
  },
  {
    id: 'touch/revives-the-deleted',
    law: 'touch/only-its-rev',
    plant(backend, engine) {
      const deleted = remembered(engine, 'deleted', () => new Map<string, SessionRecord>())
      return alteredBackend(backend, {
        async delete(id, rev, call) {
          const record = await backend.get(id, call)
          if (record !== undefined) deleted.set(id, record)
          return backend.delete(id, rev, call)
        },
        async touch(touch, call) {
          const record = deleted.get(touch.id)
          if (record?.rev === touch.rev) await backend.create({ ...record, expiresAt: touch.expiresAt }, call)
          return backend.touch(touch, call)
        },
      })
    },
  },
  {
    id: 'touch/makes-a-new-rev',
    law: 'touch/changes-nothing-else',
    plant: (backend) =>
      alteredBackend(backend, {
        async touch(touch, call) {
          const result = await backend.touch(touch, call)
          const record = result === 'touched' ? await backend.get(touch.id, call) : undefined
          if (record !== undefined) await backend.replace({ ...record, rev: `${touch.rev}t`, prevRev: touch.rev }, touch.rev, call)
          return result
        },
      }),
  },
  {
    id: 'touch/changes-the-window',
    law: 'touch/changes-nothing-else',
    plant: (backend) =>
      alteredBackend(backend, {
        async touch(touch, call) {
          const result = await backend.touch(touch, call)
          const record = result === 'touched' ? await backend.get(touch.id, call) : undefined
          if (record !== undefined) await backend.replace({ ...record, ttlMs: touch.expiresAt - touch.lastAccessedAt }, touch.rev, call)
          return result
        },
      }),
  },
  {
    id: 'delete/late-replace-brings-it-back',
    law: 'delete/is-final',
    plant(backend, engine) {
      const deleted = remembered(engine, 'deleted', () => new Map<string, string>())
      return alteredBackend(backend, {
        async delete(id, rev, call) {
          const record = await backend.get(id, call)
          if (record !== undefined) deleted.set(id, record.rev)
          return backend.delete(id, rev, call)
        },
        async replace(record, expectedRev, call) {
          if (deleted.get(record.id) === expectedRev && (await backend.create(record, call))) return { replaced: true }
          return backend.replace(record, expectedRev, call)
        },
      })
    },
  },
  {
    id: 'delete/late-append-brings-it-back',
    law: 'delete/is-final',
    plant(backend, engine) {
      const deleted = remembered(engine, 'deleted', () => new Map<string, SessionRecord>())
      return alteredBackend(backend, {
        async delete(id, rev, call) {
          const record = await backend.get(id, call)
          if (record !== undefined) deleted.set(id, record)
          return backend.delete(id, rev, call)
        },
        events: {
          async append(id, event, retention, call) {
            const record = deleted.get(id)
            if (record !== undefined) await backend.create(record, call)
            return backend.events?.append(id, event, retention, call)
          },
        },
      })
    },
  },
  {
    id: 'delete/answers-before-it-is-done',
    law: 'delete/is-final',
    plant: (backend) =>
      alteredBackend(backend, {
        async delete(id, rev, call) {
          const record = await backend.get(id, call)
          backend.delete(id, rev, call).catch(() => {})
          return record !== undefined && (rev === undefined || rev === record.rev)
        },
      }),
  },
  {
    id: 'delete/in-a-race-a-replace-wins-late',
    law: 'delete/is-final',
    plant: (backend) =>
      alteredBackend(backend, {
        async replace(record, expectedRev, call) {
          const current = await backend.get(record.id, call)
          if (current?.rev !== expectedRev) return { replaced: false, current }
          await nextTurn()
          await put(backend, record, call)
          return { replaced: true }
        },
      }),
  },
  {
    id: 'delete/leaves-the-events',
    law: 'delete/removes-events',
    plant(backend, engine) {
      const left = remembered(engine, 'left', () => new Map<string, EventPage>())
      return alteredBackend(backend, {
        async delete(id, rev, call) {
          const page = await backend.events?.read(id, everything, call)
          const deleted = await backend.delete(id, rev, call)
          if (deleted && page !== undefined) left.set(id, page)
          return deleted
        },
        async create(record, call) {
          const created = await backend.create(record, call)
          const page = left.get(record.id)
          if (created && page !== undefined) await backend.events?.restore(record.id, page, call)
          return created
        },
      })
    },
  },
  {
    id: 'delete/leaves-the-internal-events',
    law: 'delete/removes-events',
    plant(backend, engine) {
      const left = remembered(engine, 'left', () => new Map<string, EventPage>())
      return alteredBackend(backend, {
        async delete(id, rev, call) {
          const page = await backend.events?.read(id, everything, call)
          const deleted = await backend.delete(id, rev, call)
          const events = page?.events.filter(({ stream }) => stream.startsWith('!')) ?? []
          if (deleted && events.length > 0) left.set(id, { events, last: events.length, trimmed: false })
          return deleted
        },
        async create(record, call) {
          const created = await backend.create(record, call)
          const page = left.get(record.id)
          if (created && page !== undefined) await backend.events?.restore(record.id, page, call)
          return created
        },
      })
    },
  },
  {
    id: 'delete/a-racing-append-leaves-an-orphan',
    law: 'delete/removes-events',
    plant(backend, engine) {
      const orphans = remembered(engine, 'orphans', () => new Map<string, EventPage>())
      return alteredBackend(backend, {
        async create(record, call) {
          const created = await backend.create(record, call)
          const page = orphans.get(record.id)
          if (created && page !== undefined) await backend.events?.restore(record.id, page, call)
          return created
        },
        events: {
          async append(id, event, retention, call) {
            const live = (await backend.get(id, call)) !== undefined
            const sequence = await backend.events?.append(id, event, retention, call)
            if (!live || sequence !== undefined) return sequence
            orphans.set(id, { events: [{ ...event, sequence: 1, createdAt: call.now }], last: 1, trimmed: false })
            return 1
          },
        },
      })
    },
  },
  {
    id: 'delete/always-says-true',
    law: 'delete/says-what-was-there',
    plant: (backend) =>
      alteredBackend(backend, {
        async delete(id, rev, call) {
          await backend.delete(id, rev, call)
          return true
        },
      }),
  },
  {
    id: 'delete/ignores-the-rev',
    law: 'delete/says-what-was-there',
    plant: (backend) => alteredBackend(backend, { delete: (id, _, call) => backend.delete(id, undefined, call) }),
  },
  {
    id: 'delete/checks-the-rev-and-then-deletes',
    law: 'delete/says-what-was-there',
    plant: (backend) =>
      alteredBackend(backend, {
        async delete(id, rev, call) {
          const record = await backend.get(id, call)
          if (record === undefined || (rev !== undefined && record.rev !== rev)) return false
          await backend.delete(id, undefined, call)
          return true
        },
      }),
  },
  {
    id: 'delete/finds-the-expired',
    law: 'delete/says-what-was-there',
    plant: (backend) => alteredBackend(backend, { delete: (id, rev, call) => backend.delete(id, rev, { ...call, now: 1 }) }),
  },
]
