import type { SessionBackend } from '@mcp-session/core/backend'
import { memoryBackend } from '@mcp-session/memory'
import { sqliteBackend } from '@mcp-session/sqlite'

/** The backend that `sqlite:<path>` or `memory:` names. */
export function backendOf(url: string): SessionBackend {
  if (url === 'memory:') return memoryBackend()
  const [, path] = /^sqlite:(.+)$/.exec(url) ?? []
  if (path === undefined) throw new RangeError(`--backend is sqlite:<path> or memory:, not ${url}`)
  return sqliteBackend({ path })
}
