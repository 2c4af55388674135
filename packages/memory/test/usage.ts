import { openSessions } from '@mcp-session/core'
import { memoryBackend } from '@mcp-session/memory'

interface Visit {
  readonly user: string
  readonly counter: number
}

const sessions = await openSessions<Visit>({
  backend: memoryBackend({ maxSessions: 10_000, whenFull: 'evict' }),
  ttlMs: 30 * 60_000,
})

const { id } = await sessions.create({ user: 'alice', counter: 0 })
await sessions.update(id, (visit) => ({ ...visit, counter: visit.counter + 1 }))

console.log((await sessions.retrieve(id))?.metadata) // { user: 'alice', counter: 1 }
console.log(sessions.metrics().evicted) // 0

await sessions.close() // and everything is gone
