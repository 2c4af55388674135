import { RedisStore } from 'connect-redis'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import unstorageDriver from 'unstorage/drivers/redis'
import { type PeerRecord, ttlMs } from '../record.ts'
import type { Store } from '../store.ts'
import { expressStore } from './express-store.ts'
import { keyValueStore } from './key-value-store.ts'
import { unstorageStore } from './unstorage-store.ts'

/** The client alone: one command per step. */
export function ioredisStore(url: string, namespace: string): Store {
  const client = new Redis(url)
  const keyOf = (id: string) => `${namespace}:${id}`
  return keyValueStore({
    async get(id) {
      const text = await client.get(keyOf(id))
      return text === null ? null : (JSON.parse(text) as PeerRecord)
    },
    set: (id, record) => client.set(keyOf(id), JSON.stringify(record), 'PX', ttlMs),
    delete: (id) => client.del(keyOf(id)),
    ...endsOf(url, namespace, async () => client.disconnect()),
  })
}

export async function connectRedisStore(url: string, namespace: string): Promise<Store> {
  const client = createClient({ url })
  await client.connect()
  return expressStore(
    new RedisStore({ client, prefix: `${namespace}:`, ttl: ttlMs / 1_000 }),
    endsOf(url, namespace, async () => client.destroy()),
  )
}

export function unstorageRedisStore(url: string, namespace: string): Store {
  const store = unstorageStore(unstorageDriver({ url, base: namespace }))
  return { ...store, ...endsOf(url, namespace, store.close) }
}

/** Removes what a contestant left on the engine, which may be somebody's. */
export async function removeKeys(url: string, namespace: string): Promise<void> {
  const client = new Redis(url)
  try {
    for await (const keys of pages(client, namespace)) if (keys.length > 0) await client.unlink(keys)
  } finally {
    client.disconnect()
  }
}

/** Counts by its own client, and removes the keys at the end. */
export function endsOf(url: string, namespace: string, close: () => Promise<void>): Pick<Store, 'count' | 'close'> {
  return {
    async count() {
      const client = new Redis(url)
      const found = new Set<string>()
      try {
        for await (const keys of pages(client, namespace)) for (const key of keys) found.add(key)
      } finally {
        client.disconnect()
      }
      return found.size
    },
    async close() {
      await close()
      await removeKeys(url, namespace)
    },
  }
}

function pages(client: Redis, namespace: string): AsyncIterable<string[]> {
  return client.scanStream({ match: `*${namespace}*`, count: 1_000 })
}
