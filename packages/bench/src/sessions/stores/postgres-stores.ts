import { randomUUID } from 'node:crypto'
import connectPgSimple from 'connect-pg-simple'
import session from 'express-session'
import { Client, Pool } from 'pg'
import { type Content, contentOf, counted, ttlMs } from '../record.ts'
import type { Store } from '../store.ts'
import { expressStore } from './express-store.ts'
import { sessionTable } from './session-table.ts'

interface Row {
  readonly data: string
}

/** The driver alone: a pool, one named statement per step. */
export async function pgStore(url: string, schema: string): Promise<Store> {
  const pool = new Pool({ connectionString: url, max: 10 })
  await pool.query(sessionTable(schema))
  const table = `${schema}.sessions`
  const run = (name: string, text: string, values: unknown[]) => pool.query<Row>({ name, text, values })
  const expiresAt = () => new Date(Date.now() + ttlMs)

  async function get(id: string): Promise<Content | undefined> {
    const { rows } = await run('get', `SELECT data FROM ${table} WHERE id = $1 AND expires_at > now()`, [id])
    return rows[0] === undefined ? undefined : JSON.parse(rows[0].data)
  }

  return {
    async create(n) {
      const id = randomUUID()
      const values = [id, new Date(), expiresAt(), JSON.stringify(contentOf(n))]
      await run('create', `INSERT INTO ${table} (id, version, created_at, expires_at, data) VALUES ($1, 1, $2, $3, $4)`, values)
      return id
    },
    retrieve: get,
    async touch(id) {
      if ((await get(id)) === undefined) return false
      const { rowCount } = await run('touch', `UPDATE ${table} SET expires_at = $2 WHERE id = $1`, [id, expiresAt()])
      return rowCount === 1
    },
    async update(id) {
      const content = await get(id)
      if (content === undefined) return false
      const text = `UPDATE ${table} SET data = $2, version = version + 1, expires_at = $3 WHERE id = $1`
      return (await run('update', text, [id, JSON.stringify(counted(content)), expiresAt()])).rowCount === 1
    },
    delete: async (id) => (await run('delete', `DELETE FROM ${table} WHERE id = $1`, [id])).rowCount === 1,
    count: () => rowsIn(pool, table),
    async close() {
      await pool.end()
      await removeSchema(url, schema)
    },
  }
}

export async function connectPgStore(url: string, schema: string): Promise<Store> {
  const pool = new Pool({ connectionString: url, max: 10 })
  await pool.query(`CREATE SCHEMA ${schema}`)
  const PgStore = connectPgSimple(session)
  const store = new PgStore({ pool, schemaName: schema, createTableIfMissing: true, pruneSessionInterval: false, ttl: ttlMs / 1_000 })
  return expressStore(store, {
    count: () => rowsIn(pool, `${schema}.session`),
    async close() {
      await store.close()
      await pool.end()
      await removeSchema(url, schema)
    },
  })
}

async function rowsIn(pool: Pool, table: string): Promise<number> {
  const { rows } = await pool.query<{ readonly count: string }>(`SELECT count(*) AS count FROM ${table}`)
  return Number(rows[0]?.count)
}

/** Removes what a contestant left on the engine, which may be somebody's. */
export async function removeSchema(url: string, schema: string): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`)
  } finally {
    await client.end()
  }
}
