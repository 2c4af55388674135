import { memoryBackend } from '../../../memory/src/index.ts'
import { alteredBackend } from '../../src/altered-backend.ts'
import { nextTurn } from '../../src/eventually.ts'
import { type Plant, remembered } from './plant.ts'

export const sweepPlants: readonly Plant[] = [
  {
    id: 'sweep/does-not-recheck',
    law: 'sweep/only-expired',
    plant(backend, engine) {
      const ids = remembered(engine, 'ids', () => new Set<string>())
      return alteredBackend(backend, {
        create(record, call) {
          ids.add(record.id)
          return backend.create(record, call)
        },
        async deleteExpired(limit, at) {
          const call = { ...at, now: Math.min(at.now, Date.now()) }
          const dead: string[] = []
          for (const id of ids) {
            if (
              dead.length < limit &&
              (await backend.get(id, { ...call, now: 1 })) !== undefined &&
              (await backend.get(id, call)) === undefined
            )
              dead.push(id)
          }
          await nextTurn()
          for (const id of dead) {
            ids.delete(id)
            await backend.delete(id, undefined, { ...call, now: 1 })
          }
          return dead.length
        },
      })
    },
  },
  {
    id: 'sweep/believes-the-clock-of-the-node',
    law: 'sweep/only-expired',
    plant(backend) {
      // Another engine without a clock of its own: nothing limits what a node says.
      const memory = memoryBackend()
      return {
        ...memory,
        info: { ...memory.info, name: 'simulated' },
        health: (call) => backend.health(call),
        open: () => Promise.all([memory.open(), backend.open()]).then(() => {}),
        close: () => Promise.all([memory.close(), backend.close()]).then(() => {}),
      }
    },
  },
  {
    id: 'sweep/one-millisecond-early',
    law: 'sweep/only-expired',
    plant: (backend) =>
      alteredBackend(backend, { deleteExpired: (limit, call) => backend.deleteExpired(limit, { ...call, now: call.now + 1 }) }),
  },
  {
    id: 'sweep/one-millisecond-late',
    law: 'sweep/only-expired',
    plant: (backend) =>
      alteredBackend(backend, { deleteExpired: (limit, call) => backend.deleteExpired(limit, { ...call, now: call.now - 1 }) }),
  },
  {
    id: 'sweep/goes-by-the-deadline-at-creation',
    law: 'sweep/only-expired',
    plant(backend, engine) {
      const ends = remembered(engine, 'ends', () => new Map<string, number>())
      return alteredBackend(backend, {
        async create(record, call) {
          const created = await backend.create(record, call)
          if (created) ends.set(record.id, record.expiresAt)
          return created
        },
        async deleteExpired(limit, call) {
          const dead = [...ends].filter(([, end]) => end <= call.now).slice(0, limit)
          for (const [id] of dead) {
            ends.delete(id)
            await backend.delete(id, undefined, { ...call, now: 1 })
          }
          return dead.length
        },
      })
    },
  },
  {
    id: 'sweep/leaves-the-events',
    law: 'sweep/only-expired',
    plant(backend, engine) {
      const orphans = remembered(engine, 'orphans', () => new Set<string>())
      const seen = remembered(engine, 'seen', () => new Set<string>())
      return alteredBackend(backend, {
        async deleteExpired(limit, call) {
          const deleted = await backend.deleteExpired(limit, call)
          for (const id of seen) if ((await backend.get(id, { ...call, now: 1 })) === undefined) orphans.add(id)
          return deleted
        },
        async create(record, call) {
          const created = await backend.create(record, call)
          if (created && orphans.delete(record.id)) {
            await backend.events?.restore(
              record.id,
              { events: [{ key: 'k', stream: 'main', data: '', sequence: 1, createdAt: 1 }], last: 1, trimmed: false },
              call,
            )
          }
          return created
        },
        events: {
          append: async (id, event, retention, call) => {
            seen.add(id)
            return backend.events?.append(id, event, retention, call)
          },
        },
      })
    },
  },
  {
    id: 'sweep/ignores-limit',
    law: 'sweep/bounded',
    plant: (backend) => alteredBackend(backend, { deleteExpired: (_, call) => backend.deleteExpired(100_000, call) }),
  },
  {
    id: 'sweep/says-limit-whatever-it-deleted',
    law: 'sweep/bounded',
    plant: (backend) =>
      alteredBackend(backend, {
        async deleteExpired(limit, call) {
          return (await backend.deleteExpired(limit, call)) === 0 ? 0 : limit
        },
      }),
  },
  {
    id: 'sweep/deletes-nothing',
    law: 'sweep/bounded',
    plant: (backend) => alteredBackend(backend, { deleteExpired: async () => 0 }),
  },
  {
    id: 'sweep/counts-events-too',
    law: 'sweep/bounded',
    plant(backend) {
      let appended = 0
      return alteredBackend(backend, {
        deleteExpired: async (limit, call) => (await backend.deleteExpired(limit, call)) + appended,
        events: {
          append: async (id, event, retention, call) => {
            appended += 1
            return backend.events?.append(id, event, retention, call)
          },
        },
      })
    },
  },
  {
    id: 'sweep/two-sweeps-count-one-record',
    law: 'sweep/bounded',
    plant(backend) {
      let running: Promise<number> | undefined
      return alteredBackend(backend, {
        deleteExpired(limit, call) {
          running ??= backend.deleteExpired(limit, call).finally(() => {
            running = undefined
          })
          return running
        },
      })
    },
  },
]
