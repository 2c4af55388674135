import { alteredBackend } from '../../src/altered-backend.ts'
import { type Plant, put, remembered } from './plant.ts'

export const writePlants: readonly Plant[] = [
  {
    id: 'create/overwrites',
    law: 'create/inserts-if-absent',
    plant: (backend) =>
      alteredBackend(backend, {
        async create(record, call) {
          await put(backend, record, call)
          return true
        },
      }),
  },
  {
    id: 'create/says-true-and-keeps-the-old',
    law: 'create/inserts-if-absent',
    plant: (backend) =>
      alteredBackend(backend, {
        async create(record, call) {
          await backend.create(record, call)
          return true
        },
      }),
  },
  {
    id: 'create/checks-and-then-sets',
    law: 'create/inserts-if-absent',
    plant: (backend) =>
      alteredBackend(backend, {
        async create(record, call) {
          if ((await backend.get(record.id, call)) !== undefined) return false
          await put(backend, record, call)
          return true
        },
      }),
  },
  {
    id: 'create/takes-the-same-record-for-a-retry',
    law: 'create/inserts-if-absent',
    plant: (backend) =>
      alteredBackend(backend, {
        create: async (record, call) => (await backend.create(record, call)) || (await backend.get(record.id, call))?.rev === record.rev,
      }),
  },
  {
    id: 'replace/checks-and-then-sets',
    law: 'replace/compare-and-set',
    plant: (backend) =>
      alteredBackend(backend, {
        async replace(record, expectedRev, call) {
          const current = await backend.get(record.id, call)
          if (current?.rev !== expectedRev) return { replaced: false, current }
          await put(backend, record, call)
          return { replaced: true }
        },
      }),
  },
  {
    id: 'replace/ignores-the-rev',
    law: 'replace/compare-and-set',
    plant: (backend) =>
      alteredBackend(backend, {
        async replace(record, _, call) {
          const current = await backend.get(record.id, call)
          return current === undefined ? { replaced: false, current } : backend.replace(record, current.rev, call)
        },
      }),
  },
  {
    id: 'replace/compares-revs-without-case',
    law: 'replace/compare-and-set',
    plant: (backend) =>
      alteredBackend(backend, {
        async replace(record, expectedRev, call) {
          const current = await backend.get(record.id, call)
          const alike = current?.rev.toLowerCase() === expectedRev.toLowerCase()
          return backend.replace(record, alike && current !== undefined ? current.rev : expectedRev, call)
        },
      }),
  },
  {
    id: 'replace/compares-revs-as-numbers',
    law: 'replace/compare-and-set',
    plant: (backend) =>
      alteredBackend(backend, {
        async replace(record, expectedRev, call) {
          const current = await backend.get(record.id, call)
          const alike = current !== undefined && Number(current.rev) === Number(expectedRev)
          return backend.replace(record, alike ? current.rev : expectedRev, call)
        },
      }),
  },
  {
    id: 'replace/counts-versions-anew-after-delete',
    law: 'replace/compare-and-set',
    plant(backend, engine) {
      const versions = remembered(engine, 'versions', () => new Map<string, number>())
      return alteredBackend(backend, {
        async create(record, call) {
          const created = await backend.create(record, call)
          if (created) versions.set(`${record.id} ${record.rev}`, 1)
          return created
        },
        async replace(record, expectedRev, call) {
          const version = (rev: string): number | undefined => versions.get(`${record.id} ${rev}`)
          const current = await backend.get(record.id, call)
          const alike = current !== undefined && version(expectedRev) !== undefined && version(expectedRev) === version(current.rev)
          const result = await backend.replace(record, alike ? current.rev : expectedRev, call)
          if (result.replaced) versions.set(`${record.id} ${record.rev}`, (version(expectedRev) ?? 1) + 1)
          return result
        },
      })
    },
  },
  {
    id: 'replace/accepts-the-rev-before',
    law: 'replace/compare-and-set',
    plant: (backend) =>
      alteredBackend(backend, {
        async replace(record, expectedRev, call) {
          const current = await backend.get(record.id, call)
          return backend.replace(record, current?.prevRev === expectedRev ? current.rev : expectedRev, call)
        },
      }),
  },
  {
    id: 'replace/inserts',
    law: 'replace/never-inserts',
    plant: (backend) =>
      alteredBackend(backend, {
        replace: async (record, expectedRev, call) =>
          (await backend.create(record, call)) ? { replaced: true } : backend.replace(record, expectedRev, call),
      }),
  },
  {
    id: 'replace/inserts-what-is-expired',
    law: 'replace/never-inserts',
    plant: (backend) =>
      alteredBackend(backend, {
        async replace(record, expectedRev, call) {
          const result = await backend.replace(record, expectedRev, call)
          if (result.replaced || result.current !== undefined) return result
          const expired = await backend.get(record.id, { ...call, now: 1 })
          return expired?.rev === expectedRev && (await backend.create(record, call)) ? { replaced: true } : result
        },
      }),
  },
  {
    id: 'replace/loser-gets-nothing',
    law: 'replace/loser-gets-current',
    plant: (backend) =>
      alteredBackend(backend, {
        async replace(record, expectedRev, call) {
          const result = await backend.replace(record, expectedRev, call)
          return result.replaced ? result : { replaced: false, current: undefined }
        },
      }),
  },
  {
    id: 'replace/loser-gets-what-was-before',
    law: 'replace/loser-gets-current',
    plant: (backend) =>
      alteredBackend(backend, {
        async replace(record, expectedRev, call) {
          const before = await backend.get(record.id, call)
          const result = await backend.replace(record, expectedRev, call)
          return result.replaced ? result : { replaced: false, current: before }
        },
      }),
  },
  {
    id: 'replace/loser-gets-a-header',
    law: 'replace/loser-gets-current',
    plant: (backend) =>
      alteredBackend(backend, {
        async replace(record, expectedRev, call) {
          const result = await backend.replace(record, expectedRev, call)
          return result.replaced || result.current === undefined ? result : { replaced: false, current: { ...result.current, data: '' } }
        },
      }),
  },
  {
    id: 'replace/merges-instants',
    law: 'replace/as-given',
    plant: (backend) =>
      alteredBackend(backend, {
        async replace(record, expectedRev, call) {
          const lastAccessedAt = Math.max(record.lastAccessedAt, (await backend.get(record.id, call))?.lastAccessedAt ?? 0)
          return backend.replace({ ...record, lastAccessedAt }, expectedRev, call)
        },
      }),
  },
  {
    id: 'replace/never-shortens-a-life',
    law: 'replace/as-given',
    plant: (backend) =>
      alteredBackend(backend, {
        async replace(record, expectedRev, call) {
          const expiresAt = Math.max(record.expiresAt, (await backend.get(record.id, call))?.expiresAt ?? 0)
          return backend.replace({ ...record, expiresAt }, expectedRev, call)
        },
      }),
  },
  {
    id: 'replace/derives-prev-rev',
    law: 'replace/as-given',
    plant: (backend) =>
      alteredBackend(backend, {
        replace: (record, expectedRev, call) => backend.replace({ ...record, prevRev: expectedRev }, expectedRev, call),
      }),
  },
  {
    id: 'replace/keeps-the-time-of-creation',
    law: 'replace/as-given',
    plant: (backend) =>
      alteredBackend(backend, {
        async replace(record, expectedRev, call) {
          const createdAt = (await backend.get(record.id, call))?.createdAt ?? record.createdAt
          return backend.replace({ ...record, createdAt }, expectedRev, call)
        },
      }),
  },
]
