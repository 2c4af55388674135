import { openSessions } from '@mcp-session/core'
import { migratePostgres, postgresBackend } from '@mcp-session/postgres'
import pg from 'pg'

const pool = new pg.Pool({ connectionString: process.env['DATABASE_URL'] })
pool.on('error', (error) => console.error('An idle connection has ended:', error.message))

await migratePostgres({ pool, schema: 'app_sessions' }) // once, as a user that may make tables
const sessions = await openSessions({ backend: postgresBackend({ pool, schema: 'app_sessions', migrate: false }) })
const { id } = await sessions.create({ user: 'bob' })
await sessions.close() // leaves the pool open

const { rows } = await pool.query('SELECT count(*)::int AS found FROM app_sessions.mcp_session WHERE id = $1', [id])
console.log(rows[0]) // { found: 1 }
await pool.end()
