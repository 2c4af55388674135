import { SessionError, type SessionRecord } from '@mcp-session/core/backend'
import { alteredBackend } from '../../src/altered-backend.ts'
import { nextTurn } from '../../src/eventually.ts'
import { type Plant, remembered } from './plant.ts'

export const failurePlants: readonly Plant[] = [
  {
    id: 'durability/acknowledges-before-it-writes',
    law: 'durability/acknowledged',
    plant(backend, engine) {
      const flush = (write: () => Promise<unknown>): void => {
        const crashes = engine.crashes()
        nextTurn()
          .then(nextTurn)
          .then(() => (engine.crashes() === crashes ? write() : undefined))
          .catch(() => {})
      }
      const buffered = new Map<string, SessionRecord>()
      return alteredBackend(backend, {
        async get(id, call) {
          return buffered.get(id) ?? backend.get(id, call)
        },
        async create(record, call) {
          if (buffered.has(record.id) || (await backend.get(record.id, call)) !== undefined) return false
          buffered.set(record.id, record)
          flush(() => backend.create(record, call).finally(() => buffered.delete(record.id)))
          return true
        },
        async replace(record, expectedRev, call) {
          const current = buffered.get(record.id) ?? (await backend.get(record.id, call))
          if (current?.rev !== expectedRev) return { replaced: false, current }
          buffered.set(record.id, record)
          flush(() => backend.replace(record, expectedRev, call))
          return { replaced: true }
        },
      })
    },
  },
  {
    id: 'durability/acknowledges-events-before-it-writes',
    law: 'durability/acknowledged',
    plant(backend, engine) {
      const { events } = backend
      const last = new Map<string, number>()
      return alteredBackend(backend, {
        events: {
          async append(id, event, retention, call) {
            const page = await events?.read(id, { after: 0, limit: 1, maxAgeMs: Number.POSITIVE_INFINITY }, call)
            if (page === undefined) return undefined
            const sequence = Math.max(last.get(id) ?? 0, page.last) + 1
            last.set(id, sequence)
            const crashes = engine.crashes()
            nextTurn()
              .then(nextTurn)
              .then(nextTurn)
              .then(() => (engine.crashes() === crashes ? events?.append(id, event, retention, call) : undefined))
              .catch(() => {})
            return sequence
          },
        },
      })
    },
  },
  {
    id: 'durability/reads-what-is-not-flushed',
    law: 'durability/no-early-reads',
    plant(backend, engine) {
      const pending = remembered(engine, 'pending', () => new Map<string, SessionRecord>())
      return alteredBackend(backend, {
        get: async (id, call) => pending.get(id) ?? backend.get(id, call),
        async replace(record, expectedRev, call) {
          if (pending.has(record.id)) return backend.replace(record, expectedRev, call)
          const crashes = engine.crashes()
          if ((await backend.get(record.id, call))?.rev === expectedRev) pending.set(record.id, record)
          try {
            for (let turns = 0; turns < 5; turns += 1) await nextTurn()
            if (engine.crashes() !== crashes) throw Object.assign(new Error('gone'), { code: 'ECONNRESET' })
            return await backend.replace(record, expectedRev, call)
          } finally {
            pending.delete(record.id)
          }
        },
      })
    },
  },
  {
    id: 'failure/wraps-what-the-driver-threw',
    law: 'failure/raw',
    plant(backend) {
      const wrapping = <T>(promise: Promise<T>): Promise<T> =>
        promise.catch((cause: unknown) =>
          Promise.reject(new SessionError('MCP_SESSION_UNAVAILABLE', 'the engine failed', { cause, outcome: 'unknown' })),
        )
      return alteredBackend(backend, {
        create: (record, call) => wrapping(backend.create(record, call)),
        get: (id, call) => wrapping(backend.get(id, call)),
        replace: (record, rev, call) => wrapping(backend.replace(record, rev, call)),
      })
    },
  },
  {
    id: 'failure/classify-takes-all-for-an-outage',
    law: 'failure/classified',
    plant: (backend) =>
      alteredBackend(backend, { classify: () => ({ code: 'MCP_SESSION_UNAVAILABLE', retryable: true, outcome: 'unknown' }) }),
  },
  {
    id: 'failure/classify-says-nothing-was-written',
    law: 'failure/classified',
    plant: (backend) =>
      alteredBackend(backend, {
        classify(error) {
          const known = backend.classify(error)
          return known === undefined ? undefined : { ...known, outcome: 'none' }
        },
      }),
  },
  {
    id: 'failure/classify-names-an-error-once',
    law: 'failure/classified',
    plant(backend) {
      const seen = new WeakSet<object>()
      return alteredBackend(backend, {
        classify(error) {
          if (typeof error !== 'object' || error === null || seen.has(error)) return undefined
          seen.add(error)
          return backend.classify(error)
        },
      })
    },
  },
  {
    id: 'failure/classify-writes-into-the-error',
    law: 'failure/classified',
    plant: (backend) =>
      alteredBackend(backend, {
        classify(error) {
          if (error instanceof Error) Object.assign(error, { classified: true })
          return backend.classify(error)
        },
      }),
  },
  {
    id: 'failure/classify-throws-for-what-is-no-error',
    law: 'failure/classified',
    plant: (backend) =>
      alteredBackend(backend, {
        classify(error) {
          const { code } = error as { code: unknown }
          return code === undefined ? undefined : backend.classify(error)
        },
      }),
  },
]
