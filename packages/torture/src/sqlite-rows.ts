import type Database from 'better-sqlite3'
import type { Cell, Row, Rows } from './row-changes.ts'

/** The tables in a file, read and written by a connection of the harness's own. */
export function sqliteRows(database: Database.Database): Rows {
  database.pragma('synchronous = OFF')
  const columnsOf = (table: string) =>
    database.prepare<[], { name: string; type: string }>(`SELECT name, type FROM pragma_table_info('${table}')`).all()
  return {
    tables: ['mcp_session', 'mcp_session_event', 'mcp_session_log', 'mcp_session_trim'],
    async all(table) {
      const shown = columnsOf(table).map(({ name, type }) => (type === 'TEXT' ? `CAST(${name} AS BLOB) AS ${name}` : name))
      return database
        .prepare<[], Row>(`SELECT ${shown.join(', ')} FROM ${table}`)
        .safeIntegers()
        .all()
    },
    async replaceAll(table, rows) {
      const columns = columnsOf(table)
      const values = columns.map(({ type }) => (type === 'TEXT' ? 'CAST(? AS TEXT)' : '?'))
      const insert = database.prepare<Cell[]>(`INSERT INTO ${table} (${columns.map(({ name }) => name)}) VALUES (${values})`)
      try {
        database.transaction(() => {
          database.exec(`DELETE FROM ${table}`)
          for (const row of rows) insert.run(...columns.map(({ name }) => row[name] ?? null))
        })()
        return true
      } catch (error) {
        if (error instanceof Error && 'code' in error && String(error.code).startsWith('SQLITE_CONSTRAINT')) return false
        throw error
      }
    },
  }
}
