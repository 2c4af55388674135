import { randomUUID } from 'node:crypto'
import session, { type Store as ExpressStore, type SessionData } from 'express-session'
import { type Content, contentOf, counted, ttlMs } from '../record.ts'
import type { Store } from '../store.ts'

declare module 'express-session' {
  interface SessionData {
    content: Content
  }
}

export interface ExpressStoreEnds {
  count(): Promise<number>
  close(): Promise<void>
}

/**
 * A store of express-session as its middleware calls it: `load` makes a session object of what the store gave, an access is
 * `touch`, a change is `set` of the whole. The middleware's two hashes of each session are not counted.
 */
export function expressStore(store: ExpressStore, { count, close }: ExpressStoreEnds): Store {
  function load(id: string): Promise<SessionData | undefined> {
    return new Promise((resolve, reject) => {
      store.load(id, (error, data) => (error ? reject(error) : resolve(data)))
    })
  }

  function set(id: string, data: SessionData): Promise<true> {
    return new Promise((resolve, reject) => {
      store.set(id, data, (error) => (error ? reject(error) : resolve(true)))
    })
  }

  return {
    async create(n) {
      const id = randomUUID()
      const cookie = new session.Cookie()
      cookie.maxAge = ttlMs
      cookie.originalMaxAge = ttlMs
      const made = store.createSession(requestOf(store, id), { cookie, content: contentOf(n) })
      await set(id, made)
      return id
    },
    retrieve: load,
    async touch(id) {
      const found = await load(id)
      if (found === undefined) return false
      found.cookie.maxAge = ttlMs
      await new Promise<void>((resolve, reject) => {
        store.touch?.(id, found, (error?: unknown) => (error ? reject(error) : resolve()))
      })
      return true
    },
    async update(id) {
      const found = await load(id)
      if (found === undefined) return false
      found.cookie.maxAge = ttlMs
      found.content = counted(found.content)
      return set(id, found)
    },
    delete: (id) =>
      new Promise((resolve, reject) => {
        store.destroy(id, (error) => (error ? reject(error) : resolve(true)))
      }),
    count,
    close,
  }
}

/** All that the session object takes from its request. */
function requestOf(store: ExpressStore, sessionID: string): SessionRequest {
  return { sessionID, sessionStore: store } as unknown as SessionRequest
}

type SessionRequest = Parameters<ExpressStore['createSession']>[0]
