import type { SessionBackend } from '@mcp-session/core/backend'

export type Bug = (backend: SessionBackend) => Partial<Omit<SessionBackend, 'info'>>

/** The backend with one of the bugs in it, in that some of its methods are others. `undefined` plants none. */
export function plantBug(name: string | undefined, bugs: Readonly<Record<string, Bug>>, backend: SessionBackend): SessionBackend {
  if (name === undefined) return backend
  const bug = bugs[name]
  if (bug === undefined) throw new RangeError(`No bug is called ${name}`)
  const planted = { ...backend, ...bug(backend) }
  // What `info` says may be known only once it is open.
  return Object.defineProperty(planted, 'info', { get: () => backend.info })
}
