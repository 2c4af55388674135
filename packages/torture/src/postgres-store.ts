import { type Engine, startFaultRelay, startPgBouncer, startPostgres } from '@mcp-session/test-engines'
import { Client } from 'pg'
import type { RunningStore, StoreOptions } from './running-store.ts'
import { placeText } from './store-place.ts'
import { together } from './together.ts'

export const postgresSchema = 'torture'
const sessionTables = ['mcp_session', 'mcp_session_event', 'mcp_session_log', 'mcp_session_trim']

export function startPostgresStore(backend: 'postgres' | 'postgres-unlogged', options: StoreOptions): Promise<RunningStore> {
  return together(async (own) => {
    const engine = own(await startServer(options))
    const relay = own(await startFaultRelay({ target: engine.port }))
    return {
      place: placeText({ backend, url: through(engine, relay.port), name: postgresSchema }),
      engines: [engine],
      relays: [relay],
      survivesCrash: backend === 'postgres',
      async settled() {},
      leftovers: () => leftoversOf(engine),
    }
  })
}

/** Signals listen on a direct connection, through a relay of its own. */
export function startPgbouncerStore(options: StoreOptions): Promise<RunningStore> {
  return together(async (own) => {
    const engine = own(await startServer(options))
    const pooler = own(await startPgBouncer({ target: engine }))
    const relays = [own(await startFaultRelay({ target: pooler.port })), own(await startFaultRelay({ target: engine.port }))] as const
    const [pooled, direct] = relays
    return {
      place: placeText({
        backend: 'pgbouncer',
        url: through(pooler, pooled.port),
        listenUrl: through(engine, direct.port),
        name: postgresSchema,
      }),
      engines: [engine, pooler],
      relays,
      survivesCrash: true,
      async settled() {},
      leftovers: () => leftoversOf(engine),
    }
  })
}

/** Runs with a client of the harness's own, straight to the engine. */
export async function withPostgres<T>({ url }: Engine, use: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  try {
    return await use(client)
  } finally {
    await client.end()
  }
}

function startServer({ durable = true }: StoreOptions): Promise<Engine> {
  return startPostgres(durable ? {} : { config: { fsync: 'off' } })
}

function through({ url }: Engine, port: number): string {
  const there = new URL(url)
  there.port = String(port)
  return there.href
}

function leftoversOf(engine: Engine): Promise<readonly string[]> {
  return withPostgres(engine, async (client) => {
    const found: string[] = []
    for (const table of sessionTables) {
      const { rows } = await client.query<{ count: string }>(`SELECT count(*) FROM ${postgresSchema}.${table}`)
      if (rows[0]?.count !== '0') found.push(`${rows[0]?.count} rows of ${table}`)
    }
    return found
  })
}
