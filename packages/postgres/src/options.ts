import type { Pool, PoolConfig } from 'pg'

/** `unlogged`: no write-ahead log; a crash of the engine empties the tables. */
export type PostgresTable = 'logged' | 'unlogged'

interface StoreOptions {
  /** The schema that holds the tables and functions: `[A-Za-z_][A-Za-z0-9_]{0,62}`, as it is written. Default `mcp_session`. */
  readonly schema?: string | undefined
  /**
   * `logged` (default): acknowledged writes survive a crash of the engine. `unlogged`: they do not, and cost less. It decides when the
   * tables are made; tables of the other sort are refused afterwards.
   */
  readonly table?: PostgresTable | undefined
  /** `off`: the engine acknowledges before its log is on disk, and a crash takes the last moments. Default: as the engine is set. */
  readonly synchronousCommit?: 'off' | undefined
  /** Whether `open` makes and updates tables and functions. `false`: it only checks that they fit. Default `true`. */
  readonly migrate?: boolean | undefined
  /** Where to listen for signals, which needs a direct connection: give it when `url` or `pool` leads to a pooler. Default: the same. */
  readonly listenUrl?: string | undefined
  /** Statements keep names on their connections. Less to parse, but not behind a pooler that does not know them. Default `false`. */
  readonly preparedStatements?: boolean | undefined
}

/** Connections of the backend's own: made when needed, closed by the last `close`. */
export interface PostgresUrlOptions extends StoreOptions {
  /** `postgres://user:password@host:port/database`. TLS as it says (`?sslmode=verify-full`), or by `poolOptions.ssl`. */
  readonly url: string
  /** Passed on to `pg.Pool` as it is. Defaults here: `max` 4, `connectionTimeoutMillis` 2,000, `keepAlive` true. */
  readonly poolOptions?: Omit<PoolConfig, 'connectionString'> | undefined
  readonly pool?: undefined
}

/** A pool of the application, borrowed: its settings hold, and it is never closed. */
export interface PostgresPoolOptions extends StoreOptions {
  /** A `Pool` of pg 8. At most ten of its connections are in use at a time, each for one statement. */
  readonly pool: Pool
  readonly url?: undefined
  readonly poolOptions?: undefined
}

export type PostgresBackendOptions = PostgresUrlOptions | PostgresPoolOptions

/** The options, checked, with every default filled in. */
export interface PostgresSettings {
  readonly schema: string
  readonly unlogged: boolean
  readonly relaxed: boolean
  readonly migrate: boolean
  readonly preparedStatements: boolean
  readonly listenUrl: string | undefined
  readonly source: { readonly kind: 'url'; readonly config: PoolConfig } | { readonly kind: 'pool'; readonly pool: Pool }
}

/** Checks options that may come from untyped code. A `TypeError` names what is wrong, and never quotes a URL. */
export function readOptions(options: PostgresBackendOptions): PostgresSettings {
  if (typeof options !== 'object' || options === null) throw new TypeError(`options must be an object, got ${kindOf(options)}`)
  return {
    schema: checkSchema(options.schema ?? 'mcp_session'),
    unlogged: oneOf('table', options.table ?? 'logged', ['logged', 'unlogged']) === 'unlogged',
    relaxed: options.synchronousCommit !== undefined && oneOf('synchronousCommit', options.synchronousCommit, ['off']) === 'off',
    migrate: checkFlag('migrate', options.migrate ?? true),
    preparedStatements: checkFlag('preparedStatements', options.preparedStatements ?? false),
    listenUrl: options.listenUrl === undefined ? undefined : checkUrl('listenUrl', options.listenUrl),
    source: sourceOf(options),
  }
}

function sourceOf(options: PostgresBackendOptions): PostgresSettings['source'] {
  if (options.pool === undefined) {
    const connectionString = checkUrl('url', options.url)
    const { poolOptions = {} } = options
    if (typeof poolOptions !== 'object' || poolOptions === null) {
      throw new TypeError(`poolOptions must be an object, got ${kindOf(poolOptions)}`)
    }
    return { kind: 'url', config: { ...ownDefaults, ...poolOptions, connectionString } }
  }
  if (options.url !== undefined) throw new TypeError('url and pool exclude each other: give one of them')
  if (options.poolOptions !== undefined) throw new TypeError('poolOptions goes with url: a borrowed pool has its own')
  return { kind: 'pool', pool: checkPool(options.pool) }
}

/** A connection attempt that gets no answer must not outlast many calls: another one begins every half second. */
const ownDefaults: PoolConfig = {
  max: 4,
  connectionTimeoutMillis: 2_000,
  idleTimeoutMillis: 30_000,
  keepAlive: true,
  keepAliveInitialDelayMillis: 10_000,
  allowExitOnIdle: true,
  fallback_application_name: 'mcp-session',
}

/** Names of PostgreSQL have at most 63 bytes, and those that begin with `pg_` are its own. */
function checkSchema(schema: unknown): string {
  if (typeof schema !== 'string') throw new TypeError(`schema must be a string, got ${kindOf(schema)}`)
  if (!/^[A-Za-z_][A-Za-z0-9_]{0,62}$/.test(schema)) {
    throw new TypeError(`schema must match [A-Za-z_][A-Za-z0-9_]{0,62}, got ${JSON.stringify(schema.slice(0, 80))}`)
  }
  if (/^pg_|^information_schema$/i.test(schema)) throw new TypeError(`schema must not be one of the engine's own, got ${schema}`)
  return schema
}

function checkUrl(name: string, url: unknown): string {
  if (typeof url !== 'string') throw new TypeError(`${name} must be a string, got ${kindOf(url)}`)
  if (!/^postgres(?:ql)?:\/\//.test(url) || url.includes('\0')) throw new TypeError(`${name} must begin with postgres:// or postgresql://`)
  return url
}

function checkPool(pool: Pool): Pool {
  if (typeof pool !== 'object' || pool === null || typeof pool.connect !== 'function' || typeof pool.options !== 'object') {
    throw new TypeError(`pool must be a Pool of pg, got ${kindOf(pool)}`)
  }
  return pool
}

function checkFlag(name: string, value: unknown): boolean {
  if (typeof value !== 'boolean') throw new TypeError(`${name} must be a boolean, got ${kindOf(value)}`)
  return value
}

function oneOf(name: string, value: unknown, allowed: readonly string[]): string {
  if (typeof value === 'string' && allowed.includes(value)) return value
  throw new TypeError(`${name} must be ${allowed.map((text) => `'${text}'`).join(' or ')}, got ${JSON.stringify(value)?.slice(0, 80)}`)
}

function kindOf(value: unknown): string {
  return value === null ? 'null' : typeof value
}
