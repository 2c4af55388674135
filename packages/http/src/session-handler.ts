import { AsyncLocalStorage } from 'node:async_hooks'
import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Metadata, openSessions, type Session, type Sessions } from '@mcp-session/core'
import { announcing } from './announcing.ts'
import { answerDelete } from './answer-delete.ts'
import { answerGet } from './answer-get.ts'
import { answerPost } from './answer-post.ts'
import { connecting } from './connecting.ts'
import { createLimit } from './create-rate.ts'
import { openEventLog } from './event-log.ts'
import type { Exchange, Reply } from './exchange.ts'
import { type FetchOptions, fetchExchange, fetchResponse } from './fetch-adapter.ts'
import { openHeartbeats } from './heartbeats.ts'
import { type EndedBy, harmlessHooks } from './hooks.ts'
import { liveSessions } from './live-sessions.ts'
import { answerNode, nodeExchange } from './node-adapter.ts'
import { openStreams } from './open-streams.ts'
import { type CheckedOptions, checkOptions, type SessionHandlerOptions } from './options.ts'
import { orphans } from './orphans.ts'
import { presences } from './presence.ts'
import { type AuthInfo, ownerOf } from './principal.ts'
import { principalLimit } from './principal-limit.ts'
import { isExpected, replies, replyToError } from './responses.ts'
import { corsHeaders, route } from './route.ts'
import type { Runtime } from './runtime.ts'
import type { RequestScope } from './session-handle.ts'
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
  const { principal, hosts, retention, retryMs, keepAliveMs, now, onError } = options
  if (events === undefined) {
    throw new TypeError(`The backend ${sessions.getBackend().info.name} has no event log, which createSessionHandler needs for its streams`)
  }
  const node = randomBytes(12).toString('base64url')
  const woken = wakeUps(options.pollIntervalMs)
  const heartbeats = await openHeartbeats({ store: options.store, node, deadAfterMs: options.orphanAfterMs })
  const log = await openEventLog({ events, signals, channel: 'mcp-session/http', retention, node, wakeUps: woken })
  const hooks = harmlessHooks(options.hooks, onError)
  const streams = openStreams({ log, wakeUps: woken, retryMs, keepAliveMs, now })
  const live = liveSessions<M>({ limit: options.liveSessions, drainMs: options.drainMs, now })
  const scopes = new AsyncLocalStorage<RequestScope<M>>()
  const isRunningHere = (sessionId: string, opening: number): boolean => live.get(sessionId)?.link.callOf(opening) !== undefined

  /** What follows a session's end by this node's doing. */
  function ended(session: Pick<Session<M>, 'id' | 'owner'>, by: EndedBy): void {
    log.announce(session.id)
    hooks.fire('terminated', { sessionId: session.id, owner: session.owner, by })
  }

  const parts = {
    options,
    sessions,
    log,
    streams,
    live,
    scopes,
    node,
    hooks,
    ended,
    orphans: orphans({
      log,
      node,
      heartbeats,
      deadAfterMs: options.orphanAfterMs,
      isRunningHere,
      lookAgain: (sessionId, afterMs) => {
        setTimeout(() => woken.wake(sessionId), afterMs).unref()
      },
      onOrphaned: ({ sessionId, owner }, requestId) => hooks.fire('orphaned', { sessionId, owner, requestId }),
    }),
    createLimit: createLimit(options.createRate, now),
    principalLimit: principalLimit({
      sessions,
      max: options.maxSessionsPerPrincipal,
      now,
      isInUse: (id) => streams.hasAny(id) || live.get(id)?.link.isBusy() === true,
      async end(id, owner) {
        const wasThere = await sessions.delete(id, { owner })
        if (wasThere) ended({ id, owner }, 'limit')
        await live.close(id)
        return wasThere
      },
    }),
    presence: presences({
      sessions,
      now,
      onExpired: ({ id, owner }) => hooks.fire('expired', { sessionId: id, owner }),
    }),
  }
  const onTerminated = (session: Session<M>, wasThere: boolean): void => {
    if (wasThere) ended(session, 'server')
  }
  const runtime: Runtime<M> = { ...parts, connect: connecting<M>({ runtime: parts, heartbeats, wakeUps: woken, onTerminated }) }
  const idle = setInterval(() => live.closeIdle(options.liveIdleMs), Math.min(30_000, Math.ceil(options.liveIdleMs / 4))).unref()
  const active = new Set<Promise<Reply>>()
  let closing: Promise<void> | undefined

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
      if (way.to === 'get') return await answerGet(runtime, exchange, way, owner)
      return await answerDelete(runtime, way, owner)
    } catch (error) {
      if (!isExpected(error)) onError(error)
      return replyToError(error)
    }
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
    await heartbeats.close()
    await sessions.close()
  }

  return {
    async node(req, res, parsedBodyOrNext) {
      await answerNode(res, await handle(nodeExchange(req, parsedBodyOrNext)))
    },
    async fetch(request, given = {}) {
      return fetchResponse(await handle(fetchExchange(request, given)))
    },
    sessions: announcing(sessions, (session) => ended(session, 'application')),
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
