import type { SessionBackend } from '@mcp-session/core/backend'
import { memoryBackend } from '@mcp-session/memory'
import { postgresBackend } from '@mcp-session/postgres'
import { redisBackend } from '@mcp-session/redis'
import { sqliteBackend } from '@mcp-session/sqlite'

/** Where a store is: what a process needs to open its backend there. */
export interface StorePlace {
  readonly backend: string
  /** Of a file. */
  readonly path?: string
  /** Of a file: `false` where power cuts are not what is tried, and speed matters. */
  readonly durable?: boolean
  /** Of a server. */
  readonly url?: string
  /** Of a server behind a pooler: straight to it. */
  readonly listenUrl?: string
  /** Of the servers of a cluster. */
  readonly nodes?: readonly { readonly host: string; readonly port: number }[]
  /** Prefix or schema. */
  readonly name?: string
  /** Replicas that have a write before it is acknowledged. */
  readonly minReplicas?: number
}

/** A place as a text that a process can be given. */
export function placeText(place: StorePlace): string {
  return JSON.stringify(place)
}

/** The backend at such a place, not open yet. */
export function backendOf(text: string): SessionBackend {
  const place: StorePlace = JSON.parse(text)
  const open = openers[place.backend]
  if (open === undefined) throw new RangeError(`No backend is known for ${text}`)
  return open(place)
}

const openers: Readonly<Record<string, (place: StorePlace) => SessionBackend>> = {
  memory: () => memoryBackend(),
  sqlite: ({ path = '', durable }) => sqliteBackend({ path, durable }),
  redis: ({ url = '', name = '', minReplicas }) => redisBackend({ url, prefix: name, minReplicas }),
  'redis-cluster': ({ nodes = [], name = '' }) => redisBackend({ nodes, prefix: name }),
  postgres: ({ url = '', name }) => postgresBackend({ url, schema: name }),
  'postgres-unlogged': ({ url = '', name }) => postgresBackend({ url, schema: name, table: 'unlogged' }),
  pgbouncer: ({ url = '', listenUrl, name }) => postgresBackend({ url, schema: name, listenUrl }),
}
