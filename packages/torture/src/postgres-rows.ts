import type { Engine } from '@mcp-session/test-engines'
import { Client, DatabaseError } from 'pg'
import { postgresSchema } from './postgres-store.ts'
import type { Cell, Row, Rows } from './row-changes.ts'

/** The tables in a server, read and written by a connection of the harness's own, straight to it. */
export async function startPostgresRows({ url }: Engine): Promise<Rows & { end(): Promise<void> }> {
  const client = new Client({ connectionString: url })
  await client.connect()
  const columnsOf = async (table: string) => {
    const { rows } = await client.query<{ name: string; type: string }>(
      `SELECT column_name AS name, data_type AS type FROM information_schema.columns
        WHERE table_schema = $1 AND table_name = $2 ORDER BY ordinal_position`,
      [postgresSchema, table],
    )
    return rows
  }
  return {
    tables: ['mcp_session', 'mcp_session_event', 'mcp_session_log', 'mcp_session_trim'],
    async all(table) {
      const columns = await columnsOf(table)
      const shown = columns.map(({ name, type }) =>
        type === 'text' ? `convert_to(${name}, 'UTF8') AS ${name}` : `${name}::text AS ${name}`,
      )
      const { rows } = await client.query<Record<string, Buffer | string | null>>(
        `SELECT ${shown} FROM ${postgresSchema}.${table} ORDER BY 1, 2`,
      )
      return rows.map(
        (row): Row =>
          Object.fromEntries(
            Object.entries(row).map(([name, value]): [string, Cell] => [name, typeof value === 'string' ? BigInt(value) : value]),
          ),
      )
    },
    async replaceAll(table, rows) {
      const columns = await columnsOf(table)
      const values = columns.map(({ type }, n) => (type === 'text' ? `convert_from($${n + 1}, 'UTF8')` : `$${n + 1}::bigint`))
      try {
        await client.query('BEGIN')
        await client.query(`DELETE FROM ${postgresSchema}.${table}`)
        for (const row of rows) {
          const cells = columns.map(({ name }) => row[name] ?? null).map((cell) => (typeof cell === 'bigint' ? String(cell) : cell))
          await client.query(`INSERT INTO ${postgresSchema}.${table} VALUES (${values})`, cells)
        }
        await client.query('COMMIT')
        return true
      } catch (error) {
        await client.query('ROLLBACK')
        // 22: not a value of that type, such as bytes that are no UTF-8. 23: a constraint.
        if (error instanceof DatabaseError && /^2[23]/.test(error.code ?? '')) return false
        throw error
      }
    },
    end: () => client.end(),
  }
}
