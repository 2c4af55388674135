import { openSessions } from '@mcp-session/core'
import { sqliteBackend } from '@mcp-session/sqlite'
import Database from 'better-sqlite3'

const database = new Database('app.db')
database.pragma('journal_mode = WAL')
database.pragma('synchronous = FULL')

const sessions = await openSessions({ backend: sqliteBackend({ database, table: 'app_session' }) })
const { id } = await sessions.create({ user: 'bob' })
await sessions.close() // leaves the database open, with the pragmas that it had

console.log(database.prepare('SELECT count(*) FROM app_session WHERE id = ?').pluck().get(id)) // 1
database.close()
