import type { Session } from '@mcp-session/core'
import { readBody } from './body.ts'
import type { Exchange, Reply } from './exchange.ts'
import { forward, forwardable, isForAllServers, isForOneServer } from './inbox.ts'
import { initializeSession } from './initialize.ts'
import { isRequest, type JsonRpcMessage, type JsonRpcRequest } from './json-rpc.ts'
import type { LiveServer } from './live-server.ts'
import { messageExtra } from './message-extra.ts'
import { readProtocolState, takesBatches, takesPriming, versionOf } from './protocol-state.ts'
import { replies } from './responses.ts'
import { restoreServer } from './restore.ts'
import { missingId, type Route } from './route.ts'
import type { Runtime } from './runtime.ts'
import { announceChanges } from './server-told.ts'
import { SessionEnded } from './session-ended.ts'
import type { RequestScope } from './session-handle.ts'
import { streamQuery } from './stream-query.ts'

export async function answerPost<M>(
  runtime: Runtime<M>,
  exchange: Exchange,
  { sessionId, version: header }: Extract<Route, { to: 'post' }>,
  owner: string | null,
): Promise<Reply> {
  const body = await readBody(exchange, runtime.options.maxBodyBytes)
  if (body === 'too-large') return replies.tooLarge(runtime.options.maxBodyBytes)
  if (!body.ok) return replies.badRequest(body.problem, body.code)
  const { messages, batch } = body
  const initialize = messages.find((message) => isRequest(message) && message.method === 'initialize')
  if (sessionId === undefined) {
    if (initialize === undefined || !isRequest(initialize)) return missingId()
    if (batch) return replies.badRequest('Invalid Request: initialize cannot be part of a batch', -32600)
    return initializeSession(runtime, exchange, initialize, owner)
  }
  const session = await runtime.sessions.retrieve(sessionId, { owner })
  const state = readProtocolState(session?.context)
  if (session === undefined || state === undefined) return replies.notFound()
  if (initialize !== undefined) return replies.badRequest('Invalid Request: the session is initialized already', -32600)
  const version = versionOf(header, state)
  if (version === undefined) return replies.badRequest('Bad Request: unsupported MCP-Protocol-Version')
  if (batch && !takesBatches(state)) return replies.badRequest(`Invalid Request: revision ${state.version} has no batches`, -32600)
  const post: Post<M> = { runtime, exchange, session, version, batch }
  const requests = messages.filter(isRequest)
  // The id stands in the frame of its stream for as long as that may be resumed.
  if (requests.some(({ id }) => String(id).length > maxIdLength)) {
    return replies.badRequest(`Invalid Request: an id has more than ${maxIdLength} characters`, -32600)
  }
  try {
    const passed = await passOn(
      post,
      messages.filter((message) => !isRequest(message)),
    )
    return passed.status !== 202 || requests.length === 0 ? passed : await run(post, requests)
  } catch (error) {
    if (error instanceof SessionEnded) return interrupted(post)
    throw error
  }
}

const maxIdLength = 1_000

interface Post<M> {
  readonly runtime: Runtime<M>
  readonly exchange: Exchange
  readonly session: Session<M>
  /** The revision that this request speaks. */
  readonly version: string
  readonly batch: boolean
}

/** Notifications and answers of the client: 202 once they are delivered, or lie in the log for the node that waits for them. */
async function passOn<M>(post: Post<M>, messages: readonly JsonRpcMessage[]): Promise<Reply> {
  const { runtime, session } = post
  for (const message of messages) {
    const here = runtime.live.get(session.id)
    if (isForOneServer(message) && here?.link.isAddressee(message) !== true) {
      const worth = forwardable(message)
      if (worth !== undefined && !(await forward(runtime.log, session.id, worth))) return replies.notFound()
      continue
    }
    const reply = await withServer(post, async (live) => {
      const scope: RequestScope<M> = { snapshot: session, isOver: false }
      runtime.scopes.run(scope, () => live.link.deliver(message, messageExtra(post.exchange)))
      if (isForAllServers(message)) await forward(runtime.log, session.id, message, live.link.nonce)
    })
    if (reply !== undefined) return reply
  }
  return replies.accepted()
}

async function run<M>(post: Post<M>, requests: readonly JsonRpcRequest[]): Promise<Reply> {
  const { runtime, exchange, session, version } = post
  const { jsonWaitMs } = runtime.options
  const begun = await withServer(post, async (live) => {
    const call = live.link.begin(requests)
    if (call === undefined) return replies.badRequest('Invalid Request: a request with this id is running already', -32600)
    try {
      await call.start(jsonWaitMs)
      const resumable = takesPriming(version)
        ? { call: () => call.detach(), standalone: () => runtime.streams.end(session.id, 0) }
        : undefined
      const extra = messageExtra(exchange, resumable)
      const scope: RequestScope<M> = { snapshot: session, isOver: false }
      void call.done.then(() => {
        scope.isOver = true
      })
      runtime.scopes.run(scope, () => {
        for (const request of requests) live.link.deliver(request, extra)
      })
      return call
    } catch (error) {
      await call.abort()
      throw error
    }
  })
  if (begun === undefined || 'status' in begun) return begun ?? replies.notFound()
  const outcome = await begun.outcome
  if (outcome.as === 'ended') return interrupted(post)
  if (outcome.as === 'json') return replies.answers(outcome.answers, post.batch, session.id)
  const { opening } = outcome
  const frame = { requests: requests.map(({ id }) => id), node: runtime.node }
  const streamed = { sessionId: session.id, owner: session.owner, opening, frame }
  const stream = runtime.streams.open({
    ...streamQuery(runtime, exchange, session),
    from: { opening, sequence: opening, unanswered: requests.length },
    isPrimed: takesPriming(version),
    lastEvents: begun.lastEvents,
    settling: runtime.orphans.settling(streamed),
  })
  if (begun.isDetached()) runtime.streams.end(session.id, opening)
  return replies.stream(stream, session.id)
}

/** The session has ended, or only its server on this node: a 404 for the latter would make the client throw its session away. */
async function interrupted<M>({ runtime, session }: Post<M>): Promise<Reply> {
  const still = await runtime.sessions.retrieve(session.id, { owner: session.owner })
  return still === undefined ? replies.notFound() : replies.unavailable('the call was interrupted', 2)
}

/** Runs `use` with the session's server, restored where this node has none; it is not evicted meanwhile. */
async function withServer<M, T>(post: Post<M>, use: (live: LiveServer<M>) => Promise<T>): Promise<T | Reply> {
  const { runtime, session } = post
  const held = await runtime.live.hold(session.id, () => restored(post))
  if (held === 'full') return replies.unavailable('all live sessions of this node are busy', 5)
  if (held === undefined) return replies.notFound()
  try {
    held.live.see(session)
    return await use(held.live)
  } finally {
    held.release()
  }
}

/** `undefined`: the server does not speak the session's revision. */
async function restored<M>({ runtime, exchange, session }: Post<M>): Promise<LiveServer<M> | undefined> {
  const live = await runtime.connect(session, exchange)
  try {
    // Its inbox is open: what changes from now on reaches it, so this is the state to begin with.
    const newest = await runtime.sessions.retrieve(session.id, { owner: session.owner })
    const state = readProtocolState(newest?.context)
    if (newest === undefined || state === undefined) throw new SessionEnded()
    const answer = await restoreServer(live, state)
    if (answer === undefined) {
      await live.close()
      return undefined
    }
    await announceChanges(runtime, newest, state, answer)
    live.attend()
    runtime.hooks.fire('restored', { sessionId: session.id, owner: session.owner })
    return live
  } catch (error) {
    await live.close()
    throw error
  }
}
