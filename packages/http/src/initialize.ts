import type { Session } from '@mcp-session/core'
import type { Exchange, Reply } from './exchange.ts'
import type { JsonRpcRequest, JsonRpcResponse } from './json-rpc.ts'
import type { HeldServer } from './live-sessions.ts'
import { messageExtra } from './message-extra.ts'
import { newProtocolState, storedState } from './protocol-state.ts'
import { replies } from './responses.ts'
import { agreedVersion } from './restore.ts'
import type { Runtime } from './runtime.ts'

/**
 * A new session: the record comes first, since the factory may use it, then the server's answer, then the record learns what was
 * agreed on. Only then does the client hear its id. Whatever fails in between takes the record away again.
 */
export async function initializeSession<M>(
  runtime: Runtime<M>,
  exchange: Exchange,
  request: JsonRpcRequest,
  owner: string | null,
): Promise<Reply> {
  const waitMs = runtime.createLimit.waitMs(owner)
  if (waitMs > 0) return replies.tooMany('too many new sessions', Math.ceil(waitMs / 1_000))
  if (!runtime.live.hasRoom()) return replies.unavailable('all live sessions of this node are busy', 5)
  const session = await createRecord(runtime, request, owner)
  if (session === undefined) return replies.badRequest('Invalid Request: the initialize parameters cannot be stored', -32600)
  try {
    const reply = await introduce(runtime, exchange, request, session)
    const isMade = reply.status === 200 && reply.headers['Mcp-Session-Id'] !== undefined
    // Only a session that there really is may cost another one its life.
    const hasRoom = isMade && (await runtime.principalLimit.makeRoom(owner, session.id))
    if (!hasRoom) await discard(runtime, session)
    if (isMade && !hasRoom) return replies.tooMany('all sessions of this principal have open streams or running calls', 60)
    if (isMade) runtime.hooks.fire('created', { sessionId: session.id, owner })
    return reply
  } catch (error) {
    await discard(runtime, session)
    throw error
  }
}

/** `undefined`: parameters such as an own `__proto__` or 101 levels, which are legal JSON and no legal value of a session. */
async function createRecord<M>(
  { sessions }: Runtime<M>,
  { params = {} }: JsonRpcRequest,
  owner: string | null,
): Promise<Session<M> | undefined> {
  try {
    return await sessions.create(undefined, { owner, context: { initialize: params } })
  } catch (error) {
    if (error instanceof TypeError) return undefined
    throw error
  }
}

async function introduce<M>(runtime: Runtime<M>, exchange: Exchange, request: JsonRpcRequest, session: Session<M>): Promise<Reply> {
  const held = await runtime.live.hold(session.id, () => runtime.connect(session, exchange))
  if (held === 'full') return replies.unavailable('all live sessions of this node are busy', 5)
  if (held === undefined) return replies.notFound()
  try {
    const extra = messageExtra(exchange)
    const answer = await runtime.scopes.run({ snapshot: session, isOver: false }, () => held.live.link.ask(request, extra))
    return await agree(runtime, request, answer, held, session)
  } finally {
    held.release()
  }
}

async function agree<M>(
  { sessions }: Runtime<M>,
  request: JsonRpcRequest,
  answer: JsonRpcResponse,
  { live }: HeldServer<M>,
  session: Session<M>,
): Promise<Reply> {
  const version = agreedVersion(answer)
  if (version === undefined || !('result' in answer))
    return { status: 200, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(answer) }
  const state = newProtocolState(request.params ?? {}, version, answer.result)
  const stored = await sessions.updateContext(session.id, () => storedState(state))
  if (stored === undefined) return replies.notFound()
  live.state = state
  live.see(stored)
  live.attend()
  return replies.answers([answer], false, session.id)
}

async function discard<M>({ sessions, live, options }: Runtime<M>, { id }: Session<M>): Promise<void> {
  await live.close(id)
  // Nobody knows the id: what cannot be deleted now goes when it expires.
  await sessions.delete(id).catch(options.onError)
}
