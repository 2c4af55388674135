import { openSessions } from '@mcp-session/core'
import { redisBackend } from '@mcp-session/redis'

interface Visit {
  readonly user: string
  readonly counter: number
}

const url = process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379'
const sessions = await openSessions<Visit>({ backend: redisBackend({ url, prefix: 'shop' }), ttlMs: 30 * 60_000 })

const { id } = await sessions.create({ user: 'alice', counter: 0 }, { owner: 'alice' })
await sessions.update(id, (visit) => ({ ...visit, counter: visit.counter + 1 })) // atomic, whichever host writes as well

const onAnotherHost = await openSessions<Visit>({ backend: redisBackend({ url, prefix: 'shop' }) })
console.log((await onAnotherHost.retrieve(id))?.metadata) // { user: 'alice', counter: 1 }
console.log(await onAnotherHost.deleteByOwner('alice')) // 1

await onAnotherHost.close()
await sessions.close()
