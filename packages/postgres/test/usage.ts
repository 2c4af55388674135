import { openSessions } from '@mcp-session/core'
import { postgresBackend } from '@mcp-session/postgres'

interface Visit {
  readonly user: string
  readonly counter: number
}

const url = process.env['DATABASE_URL'] ?? 'postgres://localhost/app'
const backend = postgresBackend({ url, schema: 'visits' })
const sessions = await openSessions<Visit>({ backend, ttlMs: 30 * 60_000 })

const { id } = await sessions.create({ user: 'alice', counter: 0 })
await sessions.update(id, (visit) => ({ ...visit, counter: visit.counter + 1 })) // on disk, whichever node writes meanwhile
await sessions.close()

const onAnotherNode = await openSessions<Visit>({ backend: postgresBackend({ url, schema: 'visits' }) })
console.log((await onAnotherNode.retrieve(id))?.metadata) // { user: 'alice', counter: 1 }
await onAnotherNode.close()
