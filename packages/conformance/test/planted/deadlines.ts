import { type Call, type SessionBackend, SessionError } from '@mcp-session/core/backend'
import { alteredBackend } from '../../src/altered-backend.ts'
import { nextTurn } from '../../src/eventually.ts'
import type { Plant } from './plant.ts'

const patient = (call: Call): Call => ({ ...call, deadlineAt: Number.POSITIVE_INFINITY })

export const deadlinePlants: readonly Plant[] = [
  {
    id: 'deadline/writes-late',
    law: 'deadline/never-sent-late',
    plant: (backend) => alteredBackend(backend, { create: (record, call) => backend.create(record, patient(call)) }),
  },
  {
    id: 'deadline/rejects-and-writes-all-the-same',
    law: 'deadline/never-sent-late',
    plant: (backend) =>
      alteredBackend(backend, {
        async delete(id, rev, call) {
          if (call.deadlineAt > performance.now()) return backend.delete(id, rev, call)
          await backend.delete(id, rev, patient(call))
          throw new SessionError('MCP_SESSION_TIMEOUT', 'too late')
        },
      }),
  },
  {
    id: 'deadline/late-is-an-unknown-outcome',
    law: 'deadline/never-sent-late',
    plant: (backend) =>
      alteredBackend(backend, {
        async replace(record, rev, call) {
          if (call.deadlineAt <= performance.now()) throw new SessionError('MCP_SESSION_TIMEOUT', 'too late', { outcome: 'unknown' })
          return backend.replace(record, rev, call)
        },
      }),
  },
  {
    id: 'deadline/events-are-appended-late',
    law: 'deadline/never-sent-late',
    plant: (backend) =>
      alteredBackend(backend, {
        events: { append: async (id, event, retention, call) => backend.events?.append(id, event, retention, patient(call)) },
      }),
  },
  {
    id: 'deadline/sweeps-late',
    law: 'deadline/never-sent-late',
    plant: (backend) => alteredBackend(backend, { deleteExpired: (limit, call) => backend.deleteExpired(limit, patient(call)) }),
  },
  {
    id: 'deadline/an-abort-is-an-error-of-its-own',
    law: 'deadline/never-sent-late',
    plant: (backend) =>
      alteredBackend(backend, {
        async get(id, call) {
          if (call.signal?.aborted) throw new Error('aborted')
          return backend.get(id, call)
        },
      }),
  },
  {
    id: 'deadline/an-abort-is-not-looked-at',
    law: 'deadline/never-sent-late',
    plant: (backend) => alteredBackend(backend, { touch: (touch, { signal: _, ...call }) => backend.touch(touch, call) }),
  },
  {
    id: 'deadline/a-call-too-many-is-written-later',
    law: 'deadline/queues-bounded',
    plant: (backend) =>
      bounded(backend, (run) => {
        nextTurn()
          .then(run)
          .catch(() => {})
        return new SessionError('MCP_SESSION_OVERLOADED', 'too many', { retryable: true })
      }),
  },
  {
    id: 'deadline/a-call-too-many-has-an-unknown-outcome',
    law: 'deadline/queues-bounded',
    plant: (backend) => bounded(backend, () => new SessionError('MCP_SESSION_OVERLOADED', 'too many', { outcome: 'unknown' })),
  },
  {
    id: 'deadline/a-call-too-many-is-an-error-of-nobody',
    law: 'deadline/queues-bounded',
    plant: (backend) => bounded(backend, () => new Error('queue is full')),
  },
  {
    id: 'deadline/a-call-too-many-never-settles',
    law: 'deadline/queues-bounded',
    plant: (backend) => bounded(backend, () => undefined),
  },
]

/** At most 50 creates at once; `refuse` says what becomes of the others, `undefined`: nothing ever. */
function bounded(backend: SessionBackend, refuse: (run: () => Promise<unknown>) => Error | undefined): SessionBackend {
  let running = 0
  return alteredBackend(backend, {
    create(record, call) {
      const run = (): Promise<boolean> => backend.create(record, call)
      if (running >= 50) {
        // A bug of the queue, not of the deadline: it shows on a slow machine, too.
        const error = refuse(() => backend.create(record, patient(call)))
        return error === undefined ? new Promise(() => {}) : Promise.reject(error)
      }
      running += 1
      return run().finally(() => {
        running -= 1
      })
    },
  })
}
