import type { SessionRecord } from '@mcp-session/core/backend'
import { alteredBackend } from '../../src/altered-backend.ts'
import { nextTurn } from '../../src/eventually.ts'
import { type Plant, put } from './plant.ts'

export const atomicPlants: readonly Plant[] = [
  {
    id: 'atomic/replace-deletes-and-creates',
    law: 'atomic/one-step',
    plant: (backend) =>
      alteredBackend(backend, {
        async replace(record, expectedRev, call) {
          if (await backend.delete(record.id, expectedRev, call)) {
            await backend.create(record, call)
            return { replaced: true }
          }
          return { replaced: false, current: await backend.get(record.id, call) }
        },
      }),
  },
  {
    id: 'atomic/replace-writes-the-owner-first',
    law: 'atomic/one-step',
    plant: (backend) =>
      alteredBackend(backend, {
        async replace(record, expectedRev, call) {
          const before = await backend.get(record.id, call)
          if (before === undefined || before.rev !== expectedRev) return backend.replace(record, expectedRev, call)
          const torn = { ...before, owner: record.owner }
          const first = await backend.replace(torn, expectedRev, call)
          return first.replaced ? backend.replace(record, expectedRev, call) : first
        },
      }),
  },
  {
    id: 'atomic/touch-reads-and-writes-back',
    law: 'atomic/one-step',
    plant: (backend) =>
      alteredBackend(backend, {
        async touch(touch, call) {
          const record = await backend.get(touch.id, call)
          if (record === undefined) return 'missing'
          if (record.rev !== touch.rev) return 'moved'
          const { lastAccessedAt, expiresAt } = touch
          await nextTurn()
          await put(backend, later(record, lastAccessedAt, expiresAt), call)
          return 'touched'
        },
      }),
  },
  {
    id: 'atomic/a-bad-record-fails-its-batch',
    law: 'atomic/neighbours',
    plant(backend) {
      let batch: { record: SessionRecord; bad: boolean }[] = []
      return alteredBackend(backend, {
        async create(record, call) {
          const together = batch
          together.push({
            record,
            bad:
              typeof record.data !== 'string' ||
              typeof record.id !== 'string' ||
              (typeof record.owner === 'object' && record.owner !== null),
          })
          await nextTurn()
          if (batch === together) batch = []
          if (together.some(({ bad }) => bad)) throw new TypeError('the batch was refused')
          return backend.create(record, call)
        },
      })
    },
  },
  {
    id: 'atomic/a-late-call-fails-its-batch',
    law: 'atomic/neighbours',
    plant(backend) {
      let batch: number[] = []
      return alteredBackend(backend, {
        async create(record, call) {
          const together = batch
          together.push(call.deadlineAt)
          await nextTurn()
          if (batch === together) batch = []
          return backend.create(record, { ...call, deadlineAt: Math.min(...together) })
        },
      })
    },
  },
  {
    id: 'atomic/one-lost-race-loses-for-all',
    law: 'atomic/neighbours',
    plant(backend) {
      let batch: Promise<boolean>[] = []
      return alteredBackend(backend, {
        async replace(record, expectedRev, call) {
          const together = batch
          together.push(backend.get(record.id, call).then((current) => current?.rev === expectedRev))
          await nextTurn()
          if (batch === together) batch = []
          const all = (await Promise.all(together)).every(Boolean)
          return all ? backend.replace(record, expectedRev, call) : { replaced: false, current: await backend.get(record.id, call) }
        },
      })
    },
  },
]

function later(record: SessionRecord, lastAccessedAt: number, expiresAt: number): SessionRecord {
  return { ...record, lastAccessedAt: Math.max(record.lastAccessedAt, lastAccessedAt), expiresAt: Math.max(record.expiresAt, expiresAt) }
}
