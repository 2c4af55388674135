import type { Session } from '@mcp-session/core'
import { type Cursor, cursorsOf, streamName } from './cursors.ts'
import { internalStreams, type OpeningFrame } from './event-log.ts'
import type { StreamQuery } from './event-stream.ts'
import type { Exchange, Reply } from './exchange.ts'
import { isPlainObject, isRequestId } from './json-rpc.ts'
import { readProtocolState, takesPriming, versionOf } from './protocol-state.ts'
import { replies } from './responses.ts'
import type { Route } from './route.ts'
import type { Runtime } from './runtime.ts'
import { streamQuery } from './stream-query.ts'
import { readStream } from './stream-state.ts'

/** The standalone stream, or what is left of any stream of the session after `Last-Event-ID`. */
export async function answerGet<M>(
  runtime: Runtime<M>,
  exchange: Exchange,
  { sessionId, version: header, lastEventId }: Extract<Route, { to: 'get' }>,
  owner: string | null,
): Promise<Reply> {
  const session = await runtime.sessions.retrieve(sessionId, { owner })
  const state = readProtocolState(session?.context)
  if (session === undefined || state === undefined) return replies.notFound()
  const version = versionOf(header, state)
  if (version === undefined) return replies.badRequest('Bad Request: unsupported MCP-Protocol-Version')
  const found = await (lastEventId === undefined || lastEventId === '' ? fresh(runtime, session) : resume(runtime, session, lastEventId))
  if ('status' in found) return found
  const query = { ...streamQuery(runtime, exchange, session), ...found, isPrimed: takesPriming(version) }
  return replies.stream(runtime.streams.open(query), session.id)
}

/** What a GET asks for: a place, and what belongs to streams of that sort. */
type Found = Pick<StreamQuery, 'from' | 'listenedAt' | 'lastEvents' | 'settling'>

/**
 * The first GET of a session starts at its first message, since messages are stored from the beginning. Later ones without a
 * cursor start at the present: what the client has seen of the past is not known, and a request must not be put to it twice.
 */
async function fresh<M>(runtime: Runtime<M>, session: Session<M>): Promise<Found | Reply> {
  const before = await runtime.log.read(session.id, internalStreams.listened, 0, 1)
  const listenedAt = await listen(runtime, session)
  if (before === undefined || listenedAt === undefined) return replies.notFound()
  const isFirst = before.events.length === 0 && !before.trimmed
  const sequence = isFirst ? 0 : listenedAt
  return { from: { opening: 0, sequence, unanswered: Number.POSITIVE_INFINITY }, listenedAt }
}

/** From now on this response is the newest of the standalone stream: those of all nodes end when they see its frame. */
function listen<M>({ log, node }: Runtime<M>, { id }: Session<M>): Promise<number | undefined> {
  return log.append(id, internalStreams.listened, node)
}

async function resume<M>(runtime: Runtime<M>, session: Session<M>, lastEventId: string): Promise<Found | Reply> {
  const from = cursorsOf(session.id).decode(lastEventId)
  if (from === undefined) return badCursor()
  const page = await runtime.log.read(session.id, streamName(from.opening), from.sequence, 1)
  if (page === undefined) return replies.notFound()
  if (from.sequence > page.last) return badCursor()
  if (from.opening > 0) return resumeCall(runtime, session, from, page.trimmed)
  // A cursor of the standalone stream that retention has passed goes on at the oldest event kept: after an error the SDKs' clients
  // would never listen again.
  if (page.trimmed) runtime.hooks.fire('trimmed', { sessionId: session.id, owner: session.owner, stream: 'standalone' })
  const listenedAt = await listen(runtime, session)
  return listenedAt === undefined ? replies.notFound() : { from, listenedAt }
}

async function resumeCall<M>(runtime: Runtime<M>, session: Session<M>, from: Cursor, isTrimmed: boolean): Promise<Found | Reply> {
  const { log, live, hooks, orphans } = runtime
  const { opening, sequence } = from
  const { id: sessionId, owner } = session
  const opened = (await log.read(sessionId, internalStreams.opened, opening - 1, 1))?.events[0]
  const frame = opened?.sequence === opening ? readFrame(opened.data) : undefined
  if (frame === undefined) return badCursor()
  const stream = await readStream(log, sessionId, opening)
  if (stream === undefined) return replies.notFound()
  if (from.unanswered === 0 || (stream.ends.size === frame.requests.length && stream.newest <= sequence)) return replies.nothingLeft()
  if (isTrimmed) hooks.fire('trimmed', { sessionId, owner, stream: 'call' })
  const settling = orphans.settling({ sessionId, owner, opening, frame })
  return {
    from,
    lastEvents: live.get(sessionId)?.link.callOf(opening)?.lastEvents,
    // What was missing at the beginning stays missing, wherever the reader is now.
    settling: { ...settling, settle: (after, trimmed) => settling.settle(after, trimmed || isTrimmed) },
  }
}

function readFrame(data: string): OpeningFrame | undefined {
  const frame: unknown = JSON.parse(data)
  if (!isPlainObject(frame) || !Array.isArray(frame['requests']) || typeof frame['node'] !== 'string') return undefined
  return { requests: frame['requests'].filter(isRequestId), node: frame['node'] }
}

function badCursor(): Reply {
  return replies.badRequest('Bad Request: Last-Event-ID is malformed, of another session, or beyond the newest event')
}
