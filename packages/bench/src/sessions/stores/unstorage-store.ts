import { createStorage, type Driver } from 'unstorage'
import { type PeerRecord, ttlMs } from '../record.ts'
import type { Store } from '../store.ts'
import { keyValueStore } from './key-value-store.ts'

/** unstorage over one of its drivers. Of ours only the one for redis keeps the lifetime. */
export function unstorageStore(driver: Driver): Store {
  const storage = createStorage<PeerRecord>({ driver })
  return keyValueStore({
    get: (id) => storage.getItem(id),
    set: (id, record) => storage.setItem(id, record, { ttl: ttlMs / 1_000 }),
    delete: (id) => storage.removeItem(id),
    count: async () => (await storage.getKeys()).length,
    close: () => storage.dispose(),
  })
}
