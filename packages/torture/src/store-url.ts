import { join } from 'node:path'
import type { SessionBackend } from '@mcp-session/core/backend'
import { sqliteBackend } from '@mcp-session/sqlite'
import { NotRun } from './harness.ts'

/** The store of one run as a text that a process can be given: a backend's name, and where it is. */
export function storeUrl(backend: string, folder: string): string {
  if (backend === 'sqlite') return `sqlite:${join(folder, 'sessions.db')}`
  throw new NotRun(`no store of the backend ${backend} can be started here`)
}

/** The backend that such a text names. */
export function backendOf(url: string): SessionBackend {
  const [, path] = /^sqlite:(.+)$/.exec(url) ?? []
  if (path === undefined) throw new RangeError(`No backend is known for ${url}`)
  return sqliteBackend({ path })
}
