import type { Engine, FaultRelay } from '@mcp-session/test-engines'
import { NotRun } from './harness.ts'
import { startPgbouncerStore, startPostgresStore } from './postgres-store.ts'
import { startRedisClusterStore, startRedisStore } from './redis-store.ts'
import { startSqliteStore } from './sqlite-store.ts'
import { placeText } from './store-place.ts'

/** A store of one run's own, with the engine under it. Disposing of it ends the engine and removes the data. */
export interface RunningStore extends AsyncDisposable {
  /** For `backendOf`, in any process. */
  readonly place: string
  /** The servers under it; none where the engine lives in the clients' processes. */
  readonly engines: readonly Engine[]
  /** What the clients' connections lead through. */
  readonly relays: readonly FaultRelay[]
  /** Whether a crash of the engine leaves everything that was acknowledged. */
  readonly survivesCrash: boolean
  /** Resolves when the engine is as it was, once each of `engines` answers again. */
  settled(): Promise<void>
  /** Ends all connections of clients from the engine's side. */
  disconnect?(): Promise<void>
  /** What the engine itself holds of sessions, looked at without the backend: one text for each place that is not empty. */
  leftovers(): Promise<readonly string[]>
}

export interface StoreOptions {
  /** Whether it stands a power cut; killed processes lose nothing either way. Default true. */
  readonly durable?: boolean
}

/** `NotRun` where the machine has no such engine. */
export async function startStore(backend: string, options: StoreOptions = {}): Promise<RunningStore> {
  const start = starters[backend]
  if (start === undefined) throw new NotRun(`no store of the backend ${backend} can be started here`)
  try {
    return await start(options)
  } catch (error) {
    throw new NotRun(`${backend} cannot be started here: ${error instanceof Error ? error.message : error}`, { cause: error })
  }
}

/** The backends whose engines several processes can share. */
export const sharedBackends: readonly string[] = ['sqlite', 'redis', 'redis-cluster', 'postgres', 'postgres-unlogged', 'pgbouncer']

const starters: Readonly<Record<string, (options: StoreOptions) => Promise<RunningStore>>> = {
  memory: async () => ({
    place: placeText({ backend: 'memory' }),
    engines: [],
    relays: [],
    survivesCrash: false,
    async settled() {},
    leftovers: async () => [],
    async [Symbol.asyncDispose]() {},
  }),
  sqlite: startSqliteStore,
  redis: startRedisStore,
  'redis-cluster': startRedisClusterStore,
  postgres: (options) => startPostgresStore('postgres', options),
  'postgres-unlogged': (options) => startPostgresStore('postgres-unlogged', options),
  pgbouncer: startPgbouncerStore,
}
