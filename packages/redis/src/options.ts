import type { Cluster, Redis, RedisOptions } from 'ioredis'

/** What every form has. */
interface StoreOptions {
  /**
   * Begins the names of all keys and channels of the store: 1–63 characters of visible ASCII, but none of `{ } " ' ; ,`. Stores with
   * different prefixes do not see each other, whatever characters these have.
   */
  readonly prefix: string
  /** A write is acknowledged when so many replicas have it, too (`WAIT`). Default 0: when the primary has it. */
  readonly minReplicas?: number | undefined
  /** How long a write waits for them, in milliseconds; beyond it its outcome is unknown. Default 1,000. */
  readonly minReplicasWaitMs?: number | undefined
}

/** A connection of the backend's own: opened by `open`, closed by the last `close`. */
interface OwnOptions extends StoreOptions {
  /** Options of ioredis: `username`, `password`, `tls`, `db`, `connectTimeout`, … Those that keep or repeat commands are not taken. */
  readonly redisOptions?: RedisOptions | undefined
  readonly client?: undefined
}

export interface RedisUrlOptions extends OwnOptions {
  /** `redis://user:password@host:port/db`, or `rediss://` for TLS. */
  readonly url: string
  readonly nodes?: undefined
  readonly sentinels?: undefined
  readonly name?: undefined
}

export interface RedisClusterOptions extends OwnOptions {
  /** Some nodes of a Redis Cluster; it tells the others. */
  readonly nodes: readonly RedisAddress[]
  readonly url?: undefined
  readonly sentinels?: undefined
  readonly name?: undefined
}

export interface RedisSentinelOptions extends OwnOptions {
  readonly sentinels: readonly RedisAddress[]
  /** Of the group of servers that the sentinels watch. */
  readonly name: string
  readonly url?: undefined
  readonly nodes?: undefined
}

/** A client of the application, borrowed: never closed, and without listeners of the backend. */
export interface RedisClientOptions extends StoreOptions {
  /** A client of ioredis 6. Its `keyPrefix`, if it has one, comes before `prefix`. */
  readonly client: Redis | Cluster
  readonly url?: undefined
  readonly nodes?: undefined
  readonly sentinels?: undefined
  readonly name?: undefined
  readonly redisOptions?: undefined
}

export interface RedisAddress {
  readonly host: string
  readonly port: number
}

export type RedisBackendOptions = RedisUrlOptions | RedisClusterOptions | RedisSentinelOptions | RedisClientOptions

/** The options, checked, with every default filled in. */
export interface RedisSettings {
  readonly prefix: string
  readonly minReplicas: number
  readonly minReplicasWaitMs: number
  readonly redisOptions: RedisOptions
  readonly source:
    | { readonly kind: 'url'; readonly url: string }
    | { readonly kind: 'nodes'; readonly nodes: readonly RedisAddress[] }
    | { readonly kind: 'sentinels'; readonly sentinels: readonly RedisAddress[]; readonly name: string }
    | { readonly kind: 'client'; readonly client: Redis | Cluster }
}

/** Checks options that may come from untyped code. A `TypeError` or `RangeError` names the value. */
export function readOptions(options: RedisBackendOptions): RedisSettings {
  if (typeof options !== 'object' || options === null) throw new TypeError(`options must be an object, got ${kindOf(options)}`)
  const source = sourceOf(options)
  return {
    prefix: `${source.kind === 'client' ? prefixOf(source.client) : ''}${checkPrefix(options.prefix)}`,
    minReplicas: checkWhole(options.minReplicas ?? 0, 'minReplicas', 0, 100),
    minReplicasWaitMs: checkWhole(options.minReplicasWaitMs ?? 1_000, 'minReplicasWaitMs', 1, 60_000),
    redisOptions: checkRedisOptions(options),
    source,
  }
}

function sourceOf(options: RedisBackendOptions): RedisSettings['source'] {
  const { url, nodes, sentinels, name, client } = options
  const given = Object.entries({ url, nodes, sentinels, client }).filter(([, value]) => value !== undefined)
  if (given.length !== 1) {
    const found = given.length === 0 ? 'none' : given.map(([key]) => key).join(' and ')
    throw new TypeError(`give one of url, nodes, sentinels and client, got ${found}`)
  }
  if (client !== undefined) return { kind: 'client', client: checkClient(client) }
  if (nodes !== undefined) return { kind: 'nodes', nodes: checkAddresses(nodes, 'nodes') }
  if (sentinels !== undefined)
    return { kind: 'sentinels', sentinels: checkAddresses(sentinels, 'sentinels'), name: checkText(name, 'name') }
  return { kind: 'url', url: checkUrl(url) }
}

/** Braces would decide the hash slot of every key; the other characters are never meant. */
function checkPrefix(prefix: unknown): string {
  if (typeof prefix !== 'string') throw new TypeError(`prefix must be a string, got ${kindOf(prefix)}`)
  if (/^[!-~]{1,63}$/.test(prefix) && !/[{}"';,]/.test(prefix)) return prefix
  throw new TypeError(
    `prefix must be 1 to 63 characters of visible ASCII without { } " ' ; or a comma, got ${JSON.stringify(prefix.slice(0, 80))}`,
  )
}

/** The client's own prefix is of the application's choice; only where it would decide the hash slot it cannot be used. */
function prefixOf(client: Redis | Cluster): string {
  const keyPrefix: unknown = client.options.keyPrefix ?? ''
  if (typeof keyPrefix === 'string' && !/[{}\0]/.test(keyPrefix)) return keyPrefix
  throw new TypeError('the keyPrefix of the client must be a string without braces or NUL')
}

function checkClient(client: Redis | Cluster): Redis | Cluster {
  if (typeof client === 'object' && client !== null && typeof client.sendCommand === 'function' && 'isCluster' in client) return client
  throw new TypeError(`client must be a Redis or Cluster of ioredis, got ${kindOf(client)}`)
}

function checkUrl(url: unknown): string {
  const text = checkText(url, 'url')
  // Not the value itself: it may hold a password.
  if (!/^rediss?:\/\//.test(text) || !URL.canParse(text)) throw new TypeError('url must begin with redis:// or rediss:// and be a URL')
  return text
}

function checkAddresses(addresses: unknown, name: string): readonly RedisAddress[] {
  if (!Array.isArray(addresses) || addresses.length === 0) throw new TypeError(`${name} must be a list of { host, port }`)
  return addresses.map((address: Partial<RedisAddress> | null, n) => ({
    host: checkText(address?.host, `${name}[${n}].host`),
    port: checkWhole(address?.port, `${name}[${n}].port`, 1, 65_535),
  }))
}

function checkRedisOptions({ client, redisOptions }: RedisBackendOptions): RedisOptions {
  if (redisOptions === undefined) return {}
  if (client !== undefined) throw new TypeError('redisOptions go with url, nodes or sentinels: a client has its own')
  if (typeof redisOptions !== 'object' || redisOptions === null) throw new TypeError('redisOptions must be an object of options of ioredis')
  if (redisOptions.keyPrefix) throw new TypeError('redisOptions.keyPrefix cannot be used: prefix is for that')
  if (redisOptions.readOnly) throw new TypeError('redisOptions.readOnly cannot be used: a store writes')
  return redisOptions
}

function checkText(text: unknown, name: string): string {
  if (typeof text !== 'string') throw new TypeError(`${name} must be a string, got ${kindOf(text)}`)
  if (text === '' || text.includes('\0')) throw new TypeError(`${name} must not be empty or hold NUL`)
  return text
}

function checkWhole(value: unknown, name: string, min: number, max: number): number {
  if (typeof value !== 'number') throw new TypeError(`${name} must be a number, got ${kindOf(value)}`)
  if (Number.isInteger(value) && value >= min && value <= max) return value
  throw new RangeError(`${name} must be a whole number from ${min} to ${max}, got ${value}`)
}

function kindOf(value: unknown): string {
  return value === null ? 'null' : typeof value
}
