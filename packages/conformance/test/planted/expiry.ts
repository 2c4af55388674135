import { alteredBackend } from '../../src/altered-backend.ts'
import { unbounded } from '../../src/calls.ts'
import { type Plant, put, remembered, shifted } from './plant.ts'

export const expiryPlants: readonly Plant[] = [
  {
    id: 'expiry/get-still-reads-at-the-deadline',
    law: 'expiry/expired-is-absent',
    plant: (backend) => alteredBackend(backend, { get: (id, call) => backend.get(id, shifted(call, -1)) }),
  },
  {
    id: 'expiry/get-expires-one-millisecond-early',
    law: 'expiry/expired-is-absent',
    plant: (backend) => alteredBackend(backend, { get: (id, call) => backend.get(id, shifted(call, 1)) }),
  },
  {
    id: 'expiry/replace-still-works-at-the-deadline',
    law: 'expiry/expired-is-absent',
    plant: (backend) => alteredBackend(backend, { replace: (record, rev, call) => backend.replace(record, rev, shifted(call, -1)) }),
  },
  {
    id: 'expiry/touch-still-works-at-the-deadline',
    law: 'expiry/expired-is-absent',
    plant: (backend) => alteredBackend(backend, { touch: (touch, call) => backend.touch(touch, shifted(call, -1)) }),
  },
  {
    id: 'expiry/delete-finds-it-at-the-deadline',
    law: 'expiry/expired-is-absent',
    plant: (backend) => alteredBackend(backend, { delete: (id, rev, call) => backend.delete(id, rev, shifted(call, -1)) }),
  },
  {
    id: 'expiry/list-shows-it-at-the-deadline',
    law: 'expiry/expired-is-absent',
    plant: (backend) => alteredBackend(backend, { list: (query, call) => backend.list(query, shifted(call, -1)) }),
  },
  {
    id: 'expiry/reads-a-clock-of-its-own',
    law: 'expiry/expired-is-absent',
    plant: (backend) => alteredBackend(backend, { get: (id, call) => backend.get(id, { ...call, now: Date.now() }) }),
  },
  {
    id: 'expiry/counts-in-seconds',
    law: 'expiry/expired-is-absent',
    plant: (backend) =>
      alteredBackend(backend, { get: (id, call) => backend.get(id, { ...call, now: Math.floor(call.now / 1_000) * 1_000 }) }),
  },
  {
    id: 'expiry/create-refuses-an-expired-id',
    law: 'expiry/create-replaces-expired',
    plant: (backend) =>
      alteredBackend(backend, {
        async create(record, call) {
          if ((await backend.get(record.id, { ...call, now: 1 })) !== undefined) return false
          return backend.create(record, call)
        },
      }),
  },
  {
    id: 'expiry/create-keeps-the-events-of-the-expired',
    law: 'expiry/create-replaces-expired',
    plant: (backend) =>
      alteredBackend(backend, {
        async create(record, call) {
          const page = await backend.events?.read(record.id, { after: 0, limit: 100, maxAgeMs: unbounded.maxAgeMs }, { ...call, now: 1 })
          const created = await backend.create(record, call)
          if (created && page !== undefined) await backend.events?.restore(record.id, page, call)
          return created
        },
      }),
  },
  {
    id: 'expiry/refuses-what-is-already-expired',
    law: 'expiry/written-expired',
    plant: (backend) =>
      alteredBackend(backend, {
        create: async (record, call) => {
          if (record.expiresAt <= call.now) throw new RangeError('invalid expire time')
          return backend.create(record, call)
        },
      }),
  },
  {
    id: 'expiry/gives-the-expired-another-millisecond',
    law: 'expiry/written-expired',
    plant: (backend) =>
      alteredBackend(backend, {
        create: (record, call) => backend.create({ ...record, expiresAt: Math.max(record.expiresAt, call.now + 1) }, call),
      }),
  },
  {
    id: 'expiry/replace-by-an-expired-one-makes-it-immortal',
    law: 'expiry/written-expired',
    plant: (backend) =>
      alteredBackend(backend, {
        replace: (record, rev, call) =>
          backend.replace(record.expiresAt <= call.now ? { ...record, expiresAt: Number.POSITIVE_INFINITY } : record, rev, call),
      }),
  },
  {
    id: 'expiry/native-ttl-without-the-hour',
    law: 'sweep/native-ttl-is-garbage-collection',
    plant(backend, engine) {
      const ends = remembered(engine, 'ends', () => new Map<string, number>())
      return alteredBackend(backend, {
        create(record, call) {
          ends.set(record.id, performance.now() + record.expiresAt - call.now)
          return backend.create(record, call)
        },
        get: async (id, call) => ((ends.get(id) ?? 0) <= performance.now() ? undefined : backend.get(id, call)),
      })
    },
  },
  {
    id: 'expiry/touch-sets-a-native-ttl-without-the-hour',
    law: 'sweep/native-ttl-is-garbage-collection',
    plant(backend, engine) {
      const ends = remembered(engine, 'ends', () => new Map<string, number>())
      return alteredBackend(backend, {
        touch(touch, call) {
          ends.set(touch.id, performance.now() + touch.expiresAt - call.now)
          return backend.touch(touch, call)
        },
        get: async (id, call) => ((ends.get(id) ?? Number.POSITIVE_INFINITY) <= performance.now() ? undefined : backend.get(id, call)),
      })
    },
  },
  {
    id: 'expiry/a-read-revives',
    law: 'expiry/expired-is-absent',
    plant: (backend) =>
      alteredBackend(backend, {
        async get(id, call) {
          const record = await backend.get(id, { ...call, now: 1 })
          if (record === undefined || record.expiresAt > call.now || record.ttlMs === 0) return backend.get(id, call)
          const revived = { ...record, lastAccessedAt: call.now, expiresAt: call.now + record.ttlMs }
          await put(backend, revived, call)
          return revived
        },
      }),
  },
]
