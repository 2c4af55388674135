import type { SessionRecord } from '@mcp-session/core/backend'
import { alteredBackend } from '../../src/altered-backend.ts'
import type { Plant } from '../planted/plant.ts'

/** Writes that a process holds back when it has acknowledged them already: whenever it is killed, so many are lost. */
const heldBack = 8

/** Early acknowledgements that no timing hides: the plants of the simulated engine rely on its own crashes. */
export const lagging: readonly Plant[] = [
  {
    id: 'durability/lags-behind-with-writes',
    law: 'durability/acknowledged',
    plant(backend) {
      const later = lag()
      const buffered = new Map<string, SessionRecord>()
      return alteredBackend(backend, {
        get: async (id, call) => buffered.get(id) ?? backend.get(id, call),
        async create(record, call) {
          if (buffered.has(record.id) || (await backend.get(record.id, call)) !== undefined) return false
          buffered.set(record.id, record)
          await later(() => backend.create(record, call))
          return true
        },
        async replace(record, expectedRev, call) {
          const current = buffered.get(record.id) ?? (await backend.get(record.id, call))
          if (current?.rev !== expectedRev) return { replaced: false, current }
          buffered.set(record.id, record)
          await later(() => backend.replace(record, expectedRev, call))
          return { replaced: true }
        },
      })
    },
  },
  {
    id: 'durability/lags-behind-with-events',
    law: 'durability/acknowledged',
    plant(backend) {
      const { events } = backend
      const later = lag()
      let last = 0
      return alteredBackend(backend, {
        events: {
          async append(id, event, retention, call) {
            const page = await events?.read(id, { after: 0, limit: 1, maxAgeMs: Number.POSITIVE_INFINITY }, call)
            if (page === undefined) return undefined
            last = Math.max(last, page.last) + 1
            const sequence = last
            await later(async () => events?.append(id, event, retention, call))
            return sequence
          },
        },
      })
    },
  },
  {
    id: 'delete/lags-behind',
    law: 'delete/is-final',
    plant(backend) {
      const later = lag()
      return alteredBackend(backend, {
        async delete(id, rev, call) {
          const record = await backend.get(id, call)
          await later(() => backend.delete(id, rev, call))
          return record !== undefined && (rev === undefined || rev === record.rev)
        },
      })
    },
  },
]

function lag(): (write: () => Promise<unknown>) => Promise<void> {
  const held: (() => Promise<unknown>)[] = []
  return async (write) => {
    held.push(write)
    if (held.length > heldBack) await held.shift()?.()
  }
}
