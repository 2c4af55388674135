import session, { MemoryStore } from 'express-session'
import fileStoreFor from 'session-file-store'
import { ttlMs } from '../record.ts'
import type { Store } from '../store.ts'
import { expressStore } from './express-store.ts'

export function expressMemoryStore(): Store {
  const store = new MemoryStore()
  return expressStore(store, { count: lengthOf(store), close: async () => {} })
}

export function sessionFileStore(folder: string): Store {
  const FileStore = fileStoreFor(session)
  const store = new FileStore({ path: folder, ttl: ttlMs / 1_000, reapInterval: -1, logFn: () => {} })
  return expressStore(store, { count: lengthOf(store), close: async () => {} })
}

/** The number of sessions, where the store tells it itself. */
function lengthOf(store: session.Store): () => Promise<number> {
  return () =>
    new Promise((resolve, reject) => {
      if (store.length === undefined) reject(new TypeError('The store does not tell how many sessions it has'))
      else store.length((error, length) => (error ? reject(error) : resolve(length ?? 0)))
    })
}
