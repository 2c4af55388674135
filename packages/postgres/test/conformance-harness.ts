import { randomBytes } from 'node:crypto'
import type { Harness } from '@mcp-session/conformance'
import type { Engine } from '@mcp-session/test-engines'
import pg from 'pg'
import { type PostgresBackendOptions, postgresBackend } from '../src/index.ts'
import { driverErrors } from './conformance-errors.ts'

/** Names a store for other processes as well: what they need to reach it. */
interface Place {
  readonly url: string
  readonly listenUrl: string
  readonly schema: string
  readonly table: 'logged' | 'unlogged'
}

export interface Started {
  readonly engine: Engine
  /** In front of the engine. */
  readonly pooler?: Engine
}

export interface HarnessOptions {
  /** Starts the engine of this test file, when it is first needed. */
  start(): Promise<Started>
  readonly table: 'logged' | 'unlogged'
  /** URL of the module that exports the harness. */
  readonly module: string
}

/** A harness, and a way to end what it has started. */
export interface PostgresHarness {
  readonly harness: Harness
  end(): Promise<void>
}

/** A harness over one server, a schema per store. */
export function harnessOn({ start, table, module }: HarnessOptions): PostgresHarness {
  let started: Promise<Started> | undefined

  async function newPlace(): Promise<Place> {
    started ??= start()
    const { engine, pooler = engine } = await started
    return { url: pooler.url, listenUrl: engine.url, schema: `s_${randomBytes(8).toString('hex')}`, table }
  }

  async function end(): Promise<void> {
    const { engine, pooler } = (await started) ?? {}
    await pooler?.close()
    await engine?.close()
  }

  const harness: Harness = {
    async open() {
      const place = await newPlace()
      return { place: JSON.stringify(place), backend: postgresBackend(optionsOf(place)) }
    },
    reopen: (place) => postgresBackend(optionsOf(JSON.parse(place) as Place)),
    remove: (place) => drop(JSON.parse(place) as Place),
    secondProcess: module,
    ...(table === 'logged' && {
      async crash() {
        const engine = (await started)?.engine
        await engine?.kill()
        await engine?.start()
      },
    }),
    async borrow() {
      const place = await newPlace()
      const pool = new pg.Pool({ connectionString: place.url })
      return {
        backend: postgresBackend({ pool, schema: place.schema, table, listenUrl: place.listenUrl }),
        use: () => pool.query('SELECT 1'),
        emitter: pool,
        async close() {
          await pool.end()
          await drop(place)
        },
      }
    },
    errors: driverErrors,
  }
  return { harness, end }
}

function optionsOf({ url, listenUrl, schema, table }: Place): PostgresBackendOptions {
  return { url, schema, table, listenUrl }
}

async function drop({ listenUrl, schema }: Place): Promise<void> {
  const client = new pg.Client(listenUrl)
  await client.connect()
  await client.query(`DROP SCHEMA IF EXISTS "${schema}" CASCADE`)
  await client.end()
}
