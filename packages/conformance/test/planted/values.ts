import type { SessionBackend, SessionRecord } from '@mcp-session/core/backend'
import { alteredBackend } from '../../src/altered-backend.ts'
import { type Plant, remembered } from './plant.ts'

export const valuePlants: readonly Plant[] = [
  {
    id: 'record/ids-without-case',
    law: 'record/exact',
    plant: (backend) => withIds(backend, (id) => id.toLowerCase()),
  },
  {
    id: 'record/ids-cut-at-200',
    law: 'record/exact',
    plant: (backend) => withIds(backend, (id) => id.slice(0, 200)),
  },
  {
    id: 'record/ids-as-paths',
    law: 'record/exact',
    plant: (backend) => withIds(backend, (id) => id.replaceAll('../', '').replaceAll('\\', '/')),
  },
  {
    id: 'record/ids-as-numbers-where-they-look-like-it',
    law: 'record/exact',
    plant: (backend) => withIds(backend, (id) => (/^\d+$/.test(id) ? String(Number(id)) : id)),
  },
  {
    id: 'record/no-owner-becomes-an-empty-one',
    law: 'record/exact',
    plant: (backend) => withRecords(backend, (record) => ({ ...record, owner: record.owner ?? '' })),
  },
  {
    id: 'record/an-empty-owner-becomes-none',
    law: 'record/exact',
    plant: (backend) => withRecords(backend, (record) => ({ ...record, owner: record.owner === '' ? null : record.owner })),
  },
  {
    id: 'record/data-is-trimmed',
    law: 'record/exact',
    plant: (backend) => withRecords(backend, (record) => ({ ...record, data: record.data.trim() })),
  },
  {
    id: 'record/data-is-normalized',
    law: 'record/exact',
    plant: (backend) => withRecords(backend, (record) => ({ ...record, data: record.data.normalize() })),
  },
  {
    id: 'record/data-loses-a-byte-order-mark',
    law: 'record/exact',
    plant: (backend) =>
      withRecords(backend, (record) => ({ ...record, data: new TextDecoder().decode(new TextEncoder().encode(record.data)) })),
  },
  {
    id: 'record/data-has-characters-of-two-bytes',
    law: 'record/exact',
    plant: (backend) => withRecords(backend, (record) => ({ ...record, data: record.data.replace(/[\u{10000}-\u{10ffff}]/gu, '\ufffd') })),
  },
  {
    id: 'record/data-cut-at-1-mib',
    law: 'record/exact',
    plant: (backend) => withRecords(backend, (record) => ({ ...record, data: record.data.slice(0, 1_048_576) })),
  },
  {
    id: 'record/instants-of-32-bits',
    law: 'record/exact',
    plant: (backend) => withRecords(backend, (record) => ({ ...record, createdAt: record.createdAt % 2 ** 40 })),
  },
  {
    id: 'record/infinity-is-a-large-number',
    law: 'record/exact',
    plant: (backend) => withRecords(backend, (record) => ({ ...record, mustEndAt: Math.min(record.mustEndAt, Number.MAX_SAFE_INTEGER) })),
  },
  {
    id: 'record/prev-rev-is-not-kept',
    law: 'record/exact',
    plant: (backend) => withRecords(backend, (record) => ({ ...record, prevRev: null })),
  },
  {
    id: 'record/known-is-believed',
    law: 'record/known',
    plant: (backend) => alteredBackend(backend, { get: async (id, call, known) => (known ? { ...known } : backend.get(id, call)) }),
  },
  {
    id: 'record/known-keeps-its-instants',
    law: 'record/known',
    plant: (backend) => toldOf(backend, (record, known) => (record.rev === known.rev ? { ...known } : record)),
  },
  {
    id: 'record/known-outlives-its-rev',
    law: 'record/known',
    plant: (backend) => toldOf(backend, (record, known) => ({ ...record, data: known.data })),
  },
  {
    id: 'record/known-is-overwritten',
    law: 'record/known',
    plant: (backend) => toldOf(backend, (record, known) => (record.rev === known.rev ? Object.assign(known, record) : record)),
  },
  {
    id: 'record/handed-out-is-what-is-kept',
    law: 'record/detached',
    plant(backend, engine) {
      const kept = remembered(engine, 'kept', () => new Map<string, SessionRecord>())
      return alteredBackend(backend, {
        async get(id, call) {
          const record = await backend.get(id, call)
          if (record === undefined) return undefined
          const known = kept.get(`${id} ${record.rev} ${record.lastAccessedAt} ${record.expiresAt}`) ?? record
          kept.set(`${id} ${record.rev} ${record.lastAccessedAt} ${record.expiresAt}`, known)
          return known
        },
      })
    },
  },
  {
    id: 'record/handed-in-is-what-is-kept',
    law: 'record/detached',
    plant(backend, engine) {
      const kept = remembered(engine, 'kept', () => new Map<string, SessionRecord>())
      return alteredBackend(backend, {
        async create(record, call) {
          const created = await backend.create(record, call)
          if (created) kept.set(record.id, record)
          return created
        },
        async get(id, call) {
          const record = await backend.get(id, call)
          const given = kept.get(id)
          return record !== undefined && given !== undefined && record.prevRev === null ? { ...record, data: given.data } : record
        },
      })
    },
  },
]

function withIds(backend: SessionBackend, map: (id: string) => string): SessionBackend {
  const mapped = (record: SessionRecord): SessionRecord => ({ ...record, id: typeof record.id === 'string' ? map(record.id) : record.id })
  return alteredBackend(backend, {
    create: (record, call) => backend.create(mapped(record), call),
    async get(id, call) {
      const record = await backend.get(map(id), call)
      return record === undefined ? undefined : { ...record, id }
    },
    replace: (record, rev, call) => backend.replace(mapped(record), rev, call),
    touch: (touch, call) => backend.touch({ ...touch, id: map(touch.id) }, call),
    delete: (id, rev, call) => backend.delete(map(id), rev, call),
    events: {
      append: async (id, event, retention, call) => backend.events?.append(map(id), event, retention, call),
      read: async (id, query, call) => backend.events?.read(map(id), query, call),
    },
  })
}

/** Makes another answer of a record where the caller knows one. */
function toldOf(backend: SessionBackend, answer: (record: SessionRecord, known: SessionRecord) => SessionRecord): SessionBackend {
  return alteredBackend(backend, {
    async get(id, call, known) {
      const record = await backend.get(id, call)
      return record && known ? answer(record, known) : record
    },
  })
}

function withRecords(backend: SessionBackend, map: (record: SessionRecord) => SessionRecord): SessionBackend {
  const mapped = (record: SessionRecord): SessionRecord => (typeof record.data === 'string' ? map(record) : record)
  return alteredBackend(backend, {
    create: (record, call) => backend.create(mapped(record), call),
    replace: (record, rev, call) => backend.replace(mapped(record), rev, call),
  })
}
