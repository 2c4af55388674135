import { openSessions } from '@mcp-session/core'
import { fileBackend } from '@mcp-session/file'

interface Visit {
  readonly user: string
  readonly counter: number
}

const backend = fileBackend({ path: 'sessions' })
const sessions = await openSessions<Visit>({ backend, ttlMs: 30 * 60_000 })

const { id } = await sessions.create({ user: 'alice', counter: 0 })
await sessions.update(id, (visit) => ({ ...visit, counter: visit.counter + 1 })) // on disk
await sessions.close()

const afterRestart = await openSessions<Visit>({ backend })
console.log((await afterRestart.retrieve(id))?.metadata) // { user: 'alice', counter: 1 }
await afterRestart.close()
