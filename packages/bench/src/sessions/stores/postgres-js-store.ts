import { randomUUID } from 'node:crypto'
import postgres from 'postgres'
import { type Content, contentOf, counted, ttlMs } from '../record.ts'
import type { Store } from '../store.ts'
import { removeSchema } from './postgres-stores.ts'
import { sessionTable } from './session-table.ts'

/** The other driver: prepared statements, several of them under way on each connection. */
export async function postgresJsStore(url: string, schema: string): Promise<Store> {
  const sql = postgres(url, { max: 10, onnotice: () => {} })
  await sql.unsafe(sessionTable(schema))
  const table = sql(`${schema}.sessions`)
  const expiresAt = () => new Date(Date.now() + ttlMs)

  async function get(id: string): Promise<Content | undefined> {
    const [row] = await sql<{ readonly data: string }[]>`SELECT data FROM ${table} WHERE id = ${id} AND expires_at > now()`
    return row && JSON.parse(row.data)
  }

  return {
    async create(n) {
      const id = randomUUID()
      const data = JSON.stringify(contentOf(n))
      await sql`INSERT INTO ${table} (id, version, created_at, expires_at, data) VALUES (${id}, 1, ${new Date()}, ${expiresAt()}, ${data})`
      return id
    },
    retrieve: get,
    async touch(id) {
      if ((await get(id)) === undefined) return false
      return (await sql`UPDATE ${table} SET expires_at = ${expiresAt()} WHERE id = ${id}`).count === 1
    },
    async update(id) {
      const content = await get(id)
      if (content === undefined) return false
      const data = JSON.stringify(counted(content))
      return (
        (await sql`UPDATE ${table} SET data = ${data}, version = version + 1, expires_at = ${expiresAt()} WHERE id = ${id}`).count === 1
      )
    },
    delete: async (id) => (await sql`DELETE FROM ${table} WHERE id = ${id}`).count === 1,
    async count() {
      const [row] = await sql<{ readonly count: string }[]>`SELECT count(*) AS count FROM ${table}`
      return Number(row?.count)
    },
    async close() {
      await sql.end()
      await removeSchema(url, schema)
    },
  }
}
