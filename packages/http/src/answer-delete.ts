import type { Reply } from './exchange.ts'
import { readProtocolState, versionOf } from './protocol-state.ts'
import { replies } from './responses.ts'
import type { Route } from './route.ts'
import type { Runtime } from './runtime.ts'

/** Ends a session by its client's wish: record and events go in one step, streams and live servers here at once, elsewhere at the signal. */
export async function answerDelete<M>(
  { sessions, live, ended }: Runtime<M>,
  { sessionId, version }: Extract<Route, { to: 'delete' }>,
  owner: string | null,
): Promise<Reply> {
  const session = await sessions.retrieve(sessionId, { owner })
  const state = readProtocolState(session?.context)
  if (state !== undefined && versionOf(version, state) === undefined) {
    return replies.badRequest('Bad Request: unsupported MCP-Protocol-Version')
  }
  if (!(await sessions.delete(sessionId, { owner }))) return replies.notFound()
  ended({ id: sessionId, owner }, 'client')
  await live.close(sessionId)
  return replies.deleted()
}
