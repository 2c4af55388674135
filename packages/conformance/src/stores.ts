import { type Metadata, openSessions, type Sessions, type SessionsOptions } from '@mcp-session/core'
import type { SessionBackend } from '@mcp-session/core/backend'
import { alteredBackend } from './altered-backend.ts'
import type { Trial } from './trial.ts'

/** Opens a store of core over the backend of a case, on the clock of the case; closed when the case ends. */
export async function openStore(
  t: Trial,
  options: Partial<SessionsOptions<Metadata>> = {},
  backend: SessionBackend = t.backend,
): Promise<Sessions<Metadata>> {
  const sessions = await openSessions({
    backend,
    now: () => t.clock.now,
    cleanupIntervalMs: 0,
    callTimeoutMs: 20_000,
    onError: (error) => t.history.note(`in the background: ${error}`),
    ...options,
  })
  t.atEnd(() => sessions.close())
  return sessions
}

type Method = 'create' | 'get' | 'replace' | 'touch' | 'delete'

/** Loses the connection: at the first `times` calls of a method, before the call was carried out or after it. */
export function losing(backend: SessionBackend, method: Method | 'append', moment: 'before' | 'after', times = 1): SessionBackend {
  let left = times
  const loses = <T>(run: () => Promise<T>): Promise<T> => {
    if (left === 0) return run()
    left -= 1
    return moment === 'before' ? Promise.reject(new LostConnection()) : run().then(() => Promise.reject(new LostConnection()))
  }
  return alteredBackend(backend, {
    classify: (error) =>
      error instanceof LostConnection ? { code: 'MCP_SESSION_UNAVAILABLE', retryable: true, outcome: 'unknown' } : backend.classify(error),
    ...(method === 'create' ? { create: (record, call) => loses(() => backend.create(record, call)) } : {}),
    ...(method === 'get' ? { get: (id, call, known) => loses(() => backend.get(id, call, known)) } : {}),
    ...(method === 'replace' ? { replace: (record, rev, call) => loses(() => backend.replace(record, rev, call)) } : {}),
    ...(method === 'touch' ? { touch: (touch, call) => loses(() => backend.touch(touch, call)) } : {}),
    ...(method === 'delete' ? { delete: (id, rev, call) => loses(() => backend.delete(id, rev, call)) } : {}),
    ...(method === 'append' && backend.events !== undefined
      ? { events: { append: (id, event, retention, call) => loses(async () => backend.events?.append(id, event, retention, call)) } }
      : {}),
  })
}

class LostConnection extends Error {
  override readonly name = 'LostConnection'

  constructor() {
    super('the connection was lost (by the conformance kit)')
  }
}
