import { openSessions } from '@mcp-session/core'
import { redisBackend } from '@mcp-session/redis'
import { Redis } from 'ioredis'

const client = new Redis(process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379')

const sessions = await openSessions({ backend: redisBackend({ client, prefix: 'carts' }), kind: 'cart', ttlMs: 60_000 })
const { id } = await sessions.create({ items: ['book'] })
await sessions.close() // leaves the client as it was

console.log(await client.exists(`carts:{${id}}`)) // 1
client.disconnect()
