import { isEncoded } from './body.ts'
import type { Reply } from './exchange.ts'
import { type HostRules, hostProblem, isListed } from './hosts.ts'
import { replies } from './responses.ts'

/** What a request asks for, as far as method and headers tell. */
export type Route =
  | { readonly to: 'post'; readonly sessionId: string | undefined; readonly version: string | undefined }
  | { readonly to: 'get'; readonly sessionId: string; readonly version: string | undefined; readonly lastEventId: string | undefined }
  | { readonly to: 'delete'; readonly sessionId: string; readonly version: string | undefined }
  | { readonly to: 'reply'; readonly reply: Reply }

/** Pure: host and origin first, so that a foreign page learns nothing else. */
export function route(method: string, headers: Headers, rules: HostRules): Route {
  const problem = hostProblem(headers.get('host'), headers.get('origin'), rules)
  if (problem !== undefined) return answer(replies.forbidden(problem))
  // An id has at least one character, so an empty header names no session.
  const sessionId = headers.get('mcp-session-id') || undefined
  const version = headers.get('mcp-protocol-version') ?? undefined
  switch (method) {
    case 'POST':
      return routePost(headers, sessionId, version)
    case 'GET':
      if (!accepts(headers, 'text/event-stream')) return answer(replies.notAcceptable('text/event-stream'))
      if (sessionId === undefined) return answer(missingId())
      return { to: 'get', sessionId, version, lastEventId: headers.get('last-event-id') ?? undefined }
    case 'DELETE':
      return sessionId === undefined ? answer(missingId()) : { to: 'delete', sessionId, version }
    case 'OPTIONS':
      return answer(isPreflight(headers, rules) ? replies.preflight() : replies.methodNotAllowed())
    default:
      return answer(replies.methodNotAllowed())
  }
}

/**
 * Headers that let pages of listed origins read the answer, its session id, and what a client has to act on: where to get a token,
 * and when to come back.
 */
export function corsHeaders(headers: Headers, rules: HostRules): Record<string, string> {
  const origin = headers.get('origin')
  if (origin === null || !isListed(origin, rules)) return rules.allowedOrigins.length === 0 ? {} : { Vary: 'Origin' }
  return {
    'Access-Control-Allow-Origin': origin,
    'Access-Control-Expose-Headers': 'Mcp-Session-Id, WWW-Authenticate, Retry-After',
    Vary: 'Origin',
  }
}

/** 400 for a request without an id that is no `initialize` (2025-11-25 basic/transports.mdx, session management). */
export function missingId(): Reply {
  return replies.badRequest('Bad Request: the header Mcp-Session-Id is missing')
}

function routePost(headers: Headers, sessionId: string | undefined, version: string | undefined): Route {
  if (!accepts(headers, 'application/json') || !accepts(headers, 'text/event-stream')) {
    return answer(replies.notAcceptable('application/json and text/event-stream'))
  }
  if (mediaType(headers.get('content-type')) !== 'application/json') return answer(replies.unsupportedMediaType())
  if (isEncoded(headers)) return answer(unsupportedEncoding())
  return { to: 'post', sessionId, version }
}

/** 415 names what it takes instead (RFC 9110 section 15.5.16). Bodies decoded in front come without the header. */
function unsupportedEncoding(): Reply {
  const reply = replies.unsupportedMediaType()
  return { ...reply, headers: { ...reply.headers, 'Accept-Encoding': 'identity' } }
}

function isPreflight(headers: Headers, rules: HostRules): boolean {
  const origin = headers.get('origin')
  return origin !== null && isListed(origin, rules) && headers.has('access-control-request-method')
}

/** Of the ranges that match, the most specific one decides; a weight of 0 refuses (RFC 9110 section 12.5.1). */
function accepts(headers: Headers, type: string): boolean {
  const ranges = (headers.get('accept') ?? '').split(',')
  const family = `${type.slice(0, type.indexOf('/'))}/*`
  for (const name of [type, family, '*/*']) {
    const matching = ranges.filter((range) => mediaType(range) === name)
    if (matching.length > 0) return !matching.every((range) => /;\s*q=0(\.0*)?\s*(;|$)/i.test(range))
  }
  return false
}

/** The bare `type/subtype`: `text/plain; a=application/json` is text. */
function mediaType(header: string | null): string {
  return (header ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
}

function answer(reply: Reply): Route {
  return { to: 'reply', reply }
}
