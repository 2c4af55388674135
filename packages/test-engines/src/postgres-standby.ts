import { setTimeout as pause } from 'node:timers/promises'
import { Client } from 'pg'
import type { Engine } from './engine.ts'
import { postgresSite, startServer } from './postgres.ts'

/** A PostgreSQL and a hot standby that follows it by streaming replication, asynchronously. */
export interface PostgresStandby extends AsyncDisposable {
  readonly primary: Engine
  readonly standby: Engine
  /** Makes the standby a primary, whatever has become of the other; resolves once it takes writes. */
  promote(): Promise<void>
  close(): Promise<void>
}

const streamsWithinMs = 60_000

/** Starts them; resolves once the standby streams. */
export async function startPostgresStandby(): Promise<PostgresStandby> {
  const site = await postgresSite()
  try {
    const server = { ...site, onClose: async () => {} }
    const primary = await startServer({ ...server, name: 'primary', config: {} })
    // Both begin as copies of one template, so the standby needs no base backup: it replays from there.
    const source = `host=127.0.0.1 port=${primary.port} user=postgres application_name=standby`
    const standby = await startServer({ ...server, name: 'standby', config: { primary_conninfo: source }, standby: true })
    await streams(primary)
    const pair: PostgresStandby = {
      primary,
      standby,
      async promote() {
        if ((await valueOf(standby, 'select pg_promote(true, 60)')) !== true) throw new Error('The standby was not promoted within 60 s.')
      },
      async close() {
        await Promise.all([standby.close(), primary.close()])
        await site.keeper.end()
      },
      async [Symbol.asyncDispose]() {
        await pair.close()
      },
    }
    return pair
  } catch (error) {
    await site.keeper.end()
    throw error
  }
}

async function streams(primary: Engine): Promise<void> {
  const until = performance.now() + streamsWithinMs
  while ((await valueOf(primary, `select count(*)::int from pg_stat_replication where state = 'streaming'`)) !== 1) {
    if (performance.now() > until) throw new Error(`The standby does not stream within ${streamsWithinMs} ms.`)
    await pause(20)
  }
}

async function valueOf(engine: Engine, sql: string): Promise<unknown> {
  const client = new Client({ connectionString: engine.url })
  await client.connect()
  try {
    const { rows } = await client.query({ text: sql, rowMode: 'array' })
    return rows[0]?.[0]
  } finally {
    await client.end()
  }
}
