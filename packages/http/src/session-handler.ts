import { AsyncLocalStorage } from 'node:async_hooks'
import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Metadata, openSessions, type Session, type Sessions } from '@mcp-session/core'
import { answerGet } from './answer-get.ts'
import { answerPost } from './answer-post.ts'
import { openEventLog } from './event-log.ts'
import type { Exchange, Reply } from './exchange.ts'
import { type FetchOptions, fetchExchange, fetchResponse } from './fetch-adapter.ts'
import { connectServer } from './live-server.ts'
import { liveSessions } from './live-sessions.ts'
import { answerNode, nodeExchange } from './node-adapter.ts'
import { openStreams } from './open-streams.ts'
import { type CheckedOptions, checkOptions, type SessionHandlerOptions } from './options.ts'
import { type AuthInfo, ownerOf } from './principal.ts'
import { readProtocolState, storedState, versionOf } from './protocol-state.ts'
import { isExpected, replies, replyToError } from './responses.ts'
import { corsHeaders, type Route, route } from './route.ts'
import type { Runtime } from './runtime.ts'
import { holdSession, type RequestScope } from './session-handle.ts'
import { wakeUps } from './wake-ups.ts'

/** MCP over Streamable HTTP, with sessions that live in a store. All members are safe to detach. */
export interface SessionHandler<M = Metadata> {
  /** For node:http, Express and Fastify. A third argument that is a function is ignored; another is the parsed body. */
  node(req: IncomingMessage & { auth?: AuthInfo; body?: unknown }, res: ServerResponse, parsedBodyOrNext?: unknown): Promise<void>
  /** For everything with web standard requests. */
  fetch(request: Request, options?: FetchOptions): Promise<Response>
  /** The store. A delete through it ends streams and live servers on every node within the polling interval. */
  readonly sessions: Sessions<M>
  /** The owner under which sessions of this principal are stored, for records of one's own. `TypeError`: it is nobody. */
  ownerOf(authInfo: AuthInfo | undefined): Promise<string | null>
  /** Tells clients to come back, lets running calls finish for `drainMs`, and closes servers and store. Idempotent. */
  close(): Promise<void>
}

/**
 * Opens the store and makes the handler. `TypeError` and `RangeError` name a bad option; a backend without an event log is a
 * `TypeError`; what the backend's `open` throws is a `SessionError`.
 */
export async function createSessionHandler<M extends object = Metadata>(options: SessionHandlerOptions<M>): Promise<SessionHandler<M>> {
  const checked = checkOptions(options)
  const sessions = await openSessions<M>(checked.store)
  try {
    return await makeHandler(checked, sessions)
  } catch (error) {
    await sessions.close()
    throw error
  }
}

async function makeHandler<M>(options: CheckedOptions<M>, sessions: Sessions<M>): Promise<SessionHandler<M>> {
  const { events, signals } = sessions
  const { principal, hosts, retention, retryMs, keepAliveMs, ttlMs, now, onError } = options
  if (events === undefined) {
    throw new TypeError(`The backend ${sessions.getBackend().info.name} has no event log, which createSessionHandler needs for its streams`)
  }
  const node = randomBytes(12).toString('base64url')
  const woken = wakeUps(options.pollIntervalMs)
  const log = await openEventLog({ events, signals, channel: 'mcp-session/http', retention, node, wakeUps: woken })
  const scopes = new AsyncLocalStorage<RequestScope<M>>()
  const streams = openStreams({ log, wakeUps: woken, retryMs, keepAliveMs, now, lookout: accessCounter })
  const live = liveSessions<M>(options.liveSessions, now)
  const runtime: Runtime<M> = { options, sessions, log, streams, live, scopes, connect }
  const idle = setInterval(() => live.closeIdle(options.liveIdleMs), Math.min(30_000, Math.ceil(options.liveIdleMs / 4))).unref()
  const active = new Set<Promise<Reply>>()
  let closing: Promise<void> | undefined

  /** An open stream counts as access, but one access now and then is enough. */
  function accessCounter(sessionId: string): () => void {
    const everyMs = Math.max(1, Math.min(ttlMs / 4, 60_000))
    let countedAt = now()
    return () => {
      if (now() - countedAt < everyMs) return
      countedAt = now()
      sessions.touch(sessionId).catch(() => {})
    }
  }

  function connect(session: Session<M>, { authInfo }: Exchange) {
    const onTerminated = (): void => {
      live.closeWhenDrained(session.id).catch(onError)
      log.announce(session.id)
    }
    return connectServer<M>({
      session,
      held: holdSession({ session, sessions, scopes, onTerminated }),
      authInfo,
      factory: options.server,
      node,
      log,
      streams,
      wakeUps: woken,
      onError,
      onUsed: accessCounter(session.id),
      onClosed: live.forget,
      async store(sessionId, change) {
        await sessions.updateContext(sessionId, (context) => {
          const state = readProtocolState(context)
          return state === undefined ? context : storedState(change(state))
        })
      },
    })
  }

  async function reply(exchange: Exchange): Promise<Reply> {
    const way = route(exchange.method, exchange.headers, hosts)
    if (way.to === 'reply') return way.reply
    if (closing !== undefined) return replies.unavailable('the server is shutting down', Math.ceil(retryMs / 1_000))
    const { authInfo } = exchange
    const owner = await ownerOf(
      principal,
      {
        authInfo,
        get request() {
          return exchange.request()
        },
      },
      onError,
    )
    if (owner === undefined) return replies.unauthorized()
    try {
      if (way.to === 'post') return await answerPost(runtime, exchange, way, owner)
      if (way.to === 'get') return await answerGet(runtime, way, owner)
      return await answerDelete(way, owner)
    } catch (error) {
      if (!isExpected(error)) onError(error)
      return replyToError(error)
    }
  }

  async function answerDelete({ sessionId, version }: Extract<Route, { to: 'delete' }>, owner: string | null): Promise<Reply> {
    const session = await sessions.retrieve(sessionId, { owner })
    const state = readProtocolState(session?.context)
    if (state !== undefined && versionOf(version, state) === undefined) {
      return replies.badRequest('Bad Request: unsupported MCP-Protocol-Version')
    }
    if (!(await sessions.delete(sessionId, { owner }))) return replies.notFound()
    log.announce(sessionId)
    await live.close(sessionId)
    return replies.deleted()
  }

  async function handle(exchange: Exchange): Promise<Reply> {
    const answering = reply(exchange)
    active.add(answering)
    try {
      const answer = await answering
      return { ...answer, headers: { ...answer.headers, ...corsHeaders(exchange.headers, hosts) } }
    } finally {
      active.delete(answering)
    }
  }

  async function close(): Promise<void> {
    streams.endAll('standalone')
    let timer: NodeJS.Timeout | undefined
    const deadline = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, options.drainMs)
    })
    await Promise.race([deadline, Promise.allSettled(active)])
    await live.closeAll(deadline)
    clearTimeout(timer)
    clearInterval(idle)
    streams.endAll('all')
    await log.close().catch(onError)
    await sessions.close()
  }

  return {
    async node(req, res, parsedBodyOrNext) {
      await answerNode(res, await handle(nodeExchange(req, parsedBodyOrNext)))
    },
    async fetch(request, given = {}) {
      return fetchResponse(await handle(fetchExchange(request, given)))
    },
    sessions: announcing(sessions, log.announce),
    async ownerOf(authInfo) {
      const owner = await ownerOf(principal, { authInfo }, onError)
      if (owner === undefined) throw new TypeError('The principal function does not name anybody for this authInfo')
      return owner
    },
    close() {
      closing ??= close()
      return closing
    },
  }
}

/** The store as the application sees it: whoever ends a session through it also tells the other nodes at once. */
function announcing<M>(sessions: Sessions<M>, announce: (sessionId: string) => void): Sessions<M> {
  return {
    ...sessions,
    async delete(id, given) {
      const wasThere = await sessions.delete(id, given)
      if (wasThere) announce(id)
      return wasThere
    },
    async consume(id, given) {
      const session = await sessions.consume(id, given)
      if (session !== undefined) announce(id)
      return session
    },
  }
}
