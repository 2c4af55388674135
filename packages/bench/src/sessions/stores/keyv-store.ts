import { createRequire } from 'node:module'
import { join } from 'node:path'
import { Keyv } from 'keyv'
import { NotHere } from '../not-here.ts'
import { type PeerRecord, ttlMs } from '../record.ts'
import type { Store } from '../store.ts'
import { keyValueStore } from './key-value-store.ts'

export function keyvInMemory(): Store {
  const map = new Map<string, unknown>()
  const keyv = new Keyv<PeerRecord>(map)
  return keyvStore(keyv, { count: async () => map.size, close: async () => {} })
}

/** The newest release: the native driver sqlite3 below it, off the main thread. */
export async function keyvOnSqlite4(folder: string): Promise<Store> {
  refuseUnbuilt()
  const { KeyvSqlite } = await import('@keyv/sqlite')
  const adapter = new KeyvSqlite(`sqlite://${join(folder, 'keyv.sqlite')}`)
  for (const pragma of ['journal_mode = WAL', 'synchronous = NORMAL', 'cache_size = -65536']) await adapter.query(`PRAGMA ${pragma}`)
  const keyv = new Keyv<PeerRecord>({ store: adapter, useKeyPrefix: false, throwOnErrors: true })
  return keyvStore(keyv, {
    count: async () => countIn(await adapter.query('SELECT count(*) AS count FROM keyv')),
    close: () => adapter.close(),
  })
}

/** The next major, in beta: better-sqlite3 below it. */
export async function keyvOnSqlite6(folder: string): Promise<Store> {
  const { KeyvSqlite } = await import('@keyv/sqlite6')
  const adapter = new KeyvSqlite({ uri: `sqlite://${join(folder, 'keyv.sqlite')}`, wal: true, driver: 'better-sqlite3' })
  const keyv = new Keyv<PeerRecord>({ store: adapter, throwOnErrors: true })
  return keyvStore(keyv, {
    count: async () => countIn(await adapter.query('SELECT count(*) AS count FROM keyv')),
    close: () => adapter.disconnect(),
  })
}

export async function keyvOnRedis(url: string, namespace: string): Promise<Store> {
  const [{ default: KeyvRedis }, { endsOf }] = await Promise.all([import('@keyv/redis'), import('./redis-stores.ts')])
  const adapter = new KeyvRedis(url, { throwOnErrors: true })
  const keyv = new Keyv<PeerRecord>({ store: adapter, namespace, throwOnErrors: true })
  return keyvStore(
    keyv,
    endsOf(url, namespace, () => adapter.disconnect()),
  )
}

export async function keyvOnPostgres(url: string, schema: string): Promise<Store> {
  const [{ KeyvPostgres }, { removeSchema }] = await Promise.all([import('@keyv/postgres'), import('./postgres-stores.ts')])
  const adapter = new KeyvPostgres({ uri: url, schema, max: 10 })
  const keyv = new Keyv<PeerRecord>({ store: adapter, throwOnErrors: true })
  return keyvStore(keyv, {
    count: async () => countIn(await adapter.query(`SELECT count(*) AS count FROM ${schema}.keyv`)),
    async close() {
      await adapter.disconnect()
      await removeSchema(url, schema)
    },
  })
}

interface Library {
  get(id: string): Promise<PeerRecord | undefined>
  set(id: string, record: PeerRecord, ttl: number): Promise<unknown>
  delete(id: string): Promise<unknown>
}

function keyvStore(keyv: Library, ends: { count(): Promise<number>; close(): Promise<void> }): Store {
  return keyValueStore({
    get: (id) => keyv.get(id),
    set: (id, record) => keyv.set(id, record, ttlMs),
    delete: (id) => keyv.delete(id),
    ...ends,
  })
}

function countIn(rows: unknown): number {
  const [row] = rows as readonly { readonly count: number }[]
  return Number(row?.count)
}

/** Its native code is not built here by default: that takes minutes. */
function refuseUnbuilt(): void {
  const require = createRequire(import.meta.resolve('@keyv/sqlite'))
  try {
    require('sqlite3')
  } catch (error) {
    throw new NotHere('its native driver sqlite3 is not built', { cause: error })
  }
}
