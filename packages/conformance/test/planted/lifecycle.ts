import { MessageChannel } from 'node:worker_threads'
import { alteredBackend } from '../../src/altered-backend.ts'
import type { Plant } from './plant.ts'

export const lifecyclePlants: readonly Plant[] = [
  {
    id: 'lifecycle/the-first-close-acts',
    law: 'lifecycle/counted',
    plant(backend) {
      let opened = 0
      return alteredBackend(backend, {
        async open() {
          opened += 1
          await backend.open()
        },
        async close() {
          for (; opened > 0; opened -= 1) await backend.close()
        },
      })
    },
  },
  {
    id: 'lifecycle/every-open-opens-once-only',
    law: 'lifecycle/counted',
    plant(backend) {
      let isOpen = false
      return alteredBackend(backend, {
        async open() {
          if (!isOpen) await backend.open()
          isOpen = true
        },
        async close() {
          isOpen = false
          await backend.close()
        },
      })
    },
  },
  {
    id: 'lifecycle/closes-count-below-zero',
    law: 'lifecycle/counted',
    plant(backend) {
      let count = 0
      return alteredBackend(backend, {
        async open() {
          count += 1
          if (count > 0) await backend.open()
        },
        async close() {
          count -= 1
          await backend.close()
        },
      })
    },
  },
  {
    id: 'lifecycle/close-does-not-wait',
    law: 'lifecycle/counted',
    plant: (backend) =>
      alteredBackend(backend, {
        async close() {
          backend.close().catch(() => {})
        },
      }),
  },
  {
    id: 'lifecycle/a-closed-backend-goes-on-serving',
    law: 'lifecycle/counted',
    plant(backend) {
      let kept = false
      return alteredBackend(backend, {
        async open() {
          if (!kept) await backend.open()
          kept = true
          await backend.open()
        },
      })
    },
  },
  {
    id: 'lifecycle/leaves-a-listener-on-the-borrowed-client',
    law: 'lifecycle/ownership',
    plant: (backend, engine) =>
      alteredBackend(backend, {
        async open() {
          await backend.open()
          engine.client.on('message', () => {})
        },
      }),
  },
  {
    id: 'lifecycle/closes-the-borrowed-client',
    law: 'lifecycle/ownership',
    plant: (backend, engine) =>
      alteredBackend(backend, {
        async close() {
          await backend.close()
          engine.client.on('closed', () => {})
        },
      }),
  },
  {
    id: 'lifecycle/leaves-a-timer',
    law: 'lifecycle/ownership',
    plant: (backend) =>
      alteredBackend(backend, {
        async open() {
          await backend.open()
          setInterval(() => {}, 100_000).unref()
        },
      }),
  },
  {
    id: 'lifecycle/leaves-a-timer-that-holds-the-process',
    law: 'lifecycle/ownership',
    plant: (backend) =>
      alteredBackend(backend, {
        async open() {
          await backend.open()
          setInterval(() => {}, 100_000)
        },
      }),
  },
  {
    id: 'lifecycle/leaves-a-listener-on-the-process',
    law: 'lifecycle/ownership',
    plant: (backend) =>
      alteredBackend(backend, {
        async open() {
          await backend.open()
          process.setMaxListeners(1_000)
          process.on('beforeExit', () => {})
        },
      }),
  },
  {
    id: 'lifecycle/leaves-a-message-port',
    law: 'lifecycle/ownership',
    plant: (backend) =>
      alteredBackend(backend, {
        async open() {
          await backend.open()
          const { port1 } = new MessageChannel()
          port1.on('message', () => {})
          setTimeout(() => port1.close(), 20_000).unref()
        },
      }),
  },
  {
    id: 'lifecycle/opens-once-and-never-again',
    law: 'lifecycle/reopen',
    plant(backend) {
      let closed = false
      return alteredBackend(backend, {
        async open() {
          if (closed) throw new Error('the pool has ended')
          await backend.open()
        },
        async close() {
          closed = true
          await backend.close()
        },
      })
    },
  },
  {
    id: 'lifecycle/a-new-node-does-not-know-the-owners',
    law: 'lifecycle/reopen',
    plant(backend) {
      const known = new Set<string>()
      return alteredBackend(backend, {
        create(record, call) {
          known.add(record.id)
          return backend.create(record, call)
        },
        replace(record, rev, call) {
          known.add(record.id)
          return backend.replace(record, rev, call)
        },
        async list(query, call) {
          const page = await backend.list(query, call)
          return query.owner === undefined ? page : { ...page, records: page.records.filter(({ id }) => known.has(id)) }
        },
      })
    },
  },
]
