import type { Session } from '@mcp-session/core'
import { type Cursor, cursorsOf, standaloneStream, streamName } from './cursors.ts'
import { endIndex, endKey, internalStreams, type OpeningFrame } from './event-log.ts'
import type { Reply } from './exchange.ts'
import { isPlainObject, type JsonRpcError } from './json-rpc.ts'
import { readProtocolState, takesPriming, versionOf } from './protocol-state.ts'
import { replies } from './responses.ts'
import type { Route } from './route.ts'
import type { Runtime } from './runtime.ts'

/** The standalone stream, or what is left of any stream of the session after `Last-Event-ID`. */
export async function answerGet<M>(
  runtime: Runtime<M>,
  { sessionId, version: header, lastEventId }: Extract<Route, { to: 'get' }>,
  owner: string | null,
): Promise<Reply> {
  const session = await runtime.sessions.retrieve(sessionId, { owner })
  const state = readProtocolState(session?.context)
  if (session === undefined || state === undefined) return replies.notFound()
  const version = versionOf(header, state)
  if (version === undefined) return replies.badRequest('Bad Request: unsupported MCP-Protocol-Version')
  const from =
    lastEventId === undefined || lastEventId === '' ? await freshStream(runtime, session) : await resume(runtime, session, lastEventId)
  if ('status' in from) return from
  const lastEvents = runtime.live.get(session.id)?.link.callOf(from.opening)?.lastEvents
  const query = { sessionId: session.id, cursors: cursorsOf(session.id), from, isPrimed: takesPriming(version), lastEvents }
  return replies.stream(runtime.streams.open(query), session.id)
}

/**
 * The first GET of a session starts at its first message, since messages are stored from the beginning. Later ones without a
 * cursor start at the present: what the client has seen of the past is not known, and a request must not be put to it twice.
 */
async function freshStream<M>({ log }: Runtime<M>, { id }: Session<M>): Promise<Cursor | Reply> {
  const page = await log.read(id, internalStreams.listened, 0, 1)
  if (page === undefined) return replies.notFound()
  const beginning = { opening: 0, sequence: 0, unanswered: Number.POSITIVE_INFINITY }
  if (page.events.length > 0) return { ...beginning, sequence: page.last }
  const first = await log.append(id, internalStreams.listened, standaloneStream, { key: internalStreams.listened, announced: false })
  return first === undefined ? replies.notFound() : beginning
}

async function resume<M>(runtime: Runtime<M>, session: Session<M>, lastEventId: string): Promise<Cursor | Reply> {
  const cursor = cursorsOf(session.id).decode(lastEventId)
  if (cursor === undefined) return badCursor()
  const page = await runtime.log.read(session.id, streamName(cursor.opening), cursor.sequence, 1)
  if (page === undefined) return replies.notFound()
  if (cursor.sequence > page.last) return badCursor()
  // A cursor of the standalone stream that retention has passed goes on at the oldest event kept: after an error the SDKs' clients
  // would never listen again.
  if (cursor.opening === 0) return cursor
  const isRunningHere = runtime.live.get(session.id)?.link.callOf(cursor.opening) !== undefined
  return resumeCall(runtime, session, cursor, page.trimmed && !isRunningHere)
}

async function resumeCall<M>({ log }: Runtime<M>, { id }: Session<M>, cursor: Cursor, isTrimmed: boolean): Promise<Cursor | Reply> {
  const { opening, sequence } = cursor
  const frame = (await log.read(id, internalStreams.opened, opening - 1, 1))?.events[0]
  if (frame === undefined || frame.sequence !== opening) return badCursor()
  const requests = requestsOf(frame.data)
  const ends = new Map<number, number>()
  let isKept = false
  let isMore = false
  for (let after = opening, wasFull = true; wasFull; ) {
    const page = await log.read(id, streamName(opening), after)
    if (page === undefined) return replies.notFound()
    for (const event of page.events) {
      after = event.sequence
      isKept = true
      const index = endIndex(event.key)
      if (index !== undefined) ends.set(index, after)
      isMore ||= after > sequence && event.data !== ''
    }
    wasFull = page.events.length > 0
  }
  if (cursor.unanswered === 0 || (ends.size === requests.length && !isMore)) return replies.nothingLeft()
  if (!isTrimmed) return cursor
  // The oldest goes first: where a message of one call is left, its answer was not taken away but is still to come.
  if (requests.length === 1 && isKept) return cursor
  const lost = [...requests.keys()].filter((index) => !ends.has(index))
  let unanswered = [...ends.values()].filter((end) => end > sequence).length
  for (const index of lost) {
    await log.append(id, streamName(opening), JSON.stringify(lostAnswer(requests[index])), { key: endKey(opening, index) })
    unanswered += 1
  }
  return { ...cursor, unanswered }
}

/** What retention has taken cannot be sent any more, and the client must not wait for it. */
function lostAnswer(id: string | number | undefined): JsonRpcError {
  const error = { code: -32000, message: 'The answer is not kept any more' }
  return id === undefined ? { jsonrpc: '2.0', error } : { jsonrpc: '2.0', id, error }
}

function requestsOf(data: string): OpeningFrame['requests'] {
  const frame: unknown = JSON.parse(data)
  return isPlainObject(frame) && Array.isArray(frame['requests']) ? frame['requests'] : []
}

function badCursor(): Reply {
  return replies.badRequest('Bad Request: Last-Event-ID is malformed, of another session, or beyond the newest event')
}
