import { openSessions } from '@mcp-session/core'
import { sqliteBackend } from '@mcp-session/sqlite'

interface Visit {
  readonly user: string
  readonly counter: number
}

const backend = sqliteBackend({ path: 'sessions.db' })
const sessions = await openSessions<Visit>({ backend, ttlMs: 30 * 60_000 })

const { id } = await sessions.create({ user: 'alice', counter: 0 })
await sessions.update(id, (visit) => ({ ...visit, counter: visit.counter + 1 })) // on disk, whoever else writes to the file
await sessions.close()

const afterRestart = await openSessions<Visit>({ backend })
console.log((await afterRestart.retrieve(id))?.metadata) // { user: 'alice', counter: 1 }
await afterRestart.close()
