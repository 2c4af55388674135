import type { SessionBackend } from '@mcp-session/core/backend'
import { memoryBackend } from '@mcp-session/memory'
import { postgresBackend } from '@mcp-session/postgres'
import { redisBackend } from '@mcp-session/redis'
import { sqliteBackend } from '@mcp-session/sqlite'

/** The backend that `memory:`, `sqlite:<path>`, `redis://…` or `postgres://…` names. */
export function backendOf(url: string): SessionBackend {
  if (url === 'memory:') return memoryBackend()
  if (/^rediss?:\/\//.test(url)) return redisBackend({ url, prefix: 'example:' })
  if (/^postgres(ql)?:\/\//.test(url)) return postgresBackend({ url, schema: 'example' })
  const [, path] = /^sqlite:(.+)$/.exec(url) ?? []
  if (path === undefined) throw new RangeError(`--backend is memory:, sqlite:<path>, redis://… or postgres://…, not ${url}`)
  return sqliteBackend({ path })
}
