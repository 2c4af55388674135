import { randomUUID } from 'node:crypto'
import { type PeerRecord, recordOf, touched, updated } from '../record.ts'
import type { Store } from '../store.ts'

/** What a key-value library offers to a session layer. */
export interface KeyValues {
  get(id: string): Promise<PeerRecord | null | undefined>
  /** With the lifetime, where the library has one. */
  set(id: string, record: PeerRecord): Promise<unknown>
  delete(id: string): Promise<unknown>
  count(): Promise<number>
  close(): Promise<void>
}

/** Sessions over a key-value library: touch and update get and then set, which is not atomic. */
export function keyValueStore(values: KeyValues): Store {
  async function change(id: string, next: (record: PeerRecord) => PeerRecord): Promise<boolean> {
    const record = await values.get(id)
    if (!record) return false
    await values.set(id, next(record))
    return true
  }

  return {
    async create(n) {
      const id = randomUUID()
      await values.set(id, recordOf(id, n))
      return id
    },
    retrieve: values.get,
    touch: (id) => change(id, touched),
    update: (id) => change(id, updated),
    async delete(id) {
      await values.delete(id)
      return true
    },
    count: values.count,
    close: values.close,
  }
}
