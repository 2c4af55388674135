import { expect, test } from 'vitest'
import { type PeerRecord, recordOf } from '../src/sessions/record.ts'
import { keyValueStore } from '../src/sessions/stores/key-value-store.ts'

test.each(['touch', 'update', 'delete'] as const)('over a key-value library %s is done when the library is done', async (op) => {
  const records = new Map<string, PeerRecord>([['a', recordOf('a', 1)]])
  let unfinished = 0
  async function later<T>(step: () => T): Promise<T> {
    unfinished += 1
    await new Promise((resolve) => setImmediate(resolve))
    unfinished -= 1
    return step()
  }
  const store = keyValueStore({
    get: (id) => later(() => records.get(id)),
    set: (id, record) => later(() => records.set(id, record)),
    delete: (id) => later(() => records.delete(id)),
    count: async () => records.size,
    close: async () => {},
  })
  expect(await store[op]('a')).toBe(true)
  expect(unfinished).toBe(0)
  expect(records.get('a')?.metadata.counter).toBe({ touch: 1, update: 2, delete: undefined }[op])
})
