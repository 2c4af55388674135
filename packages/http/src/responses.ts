import { SessionError } from '@mcp-session/core'
import type { StreamBody } from './event-stream.ts'
import type { Reply } from './exchange.ts'
import type { JsonRpcResponse } from './json-rpc.ts'
import { SessionEnded } from './session-ended.ts'

/** Every status and body that this package answers with. */
export const replies = {
  accepted: (): Reply => ({ status: 202, headers: {} }),
  deleted: (): Reply => ({ status: 200, headers: {} }),
  /** A resume at or after the last message of a stream: SDK v1 would reconnect for ever after an empty 200. */
  nothingLeft: (): Reply => ({ status: 204, headers: {} }),

  answers(answers: readonly JsonRpcResponse[], batch: boolean, sessionId: string): Reply {
    // Every request was cancelled: a request needs a JSON answer or a stream, and an empty stream is one.
    if (answers.length === 0) return { status: 200, headers: { 'Content-Type': 'text/event-stream' }, body: ': cancelled\n\n' }
    const headers = { 'Content-Type': 'application/json', 'Mcp-Session-Id': sessionId }
    return { status: 200, headers, body: JSON.stringify(batch ? answers : answers[0]) }
  },

  stream(body: StreamBody, sessionId: string): Reply {
    const headers = {
      'Content-Type': 'text/event-stream',
      'Cache-Control': 'no-cache, no-transform',
      'X-Accel-Buffering': 'no',
      'Mcp-Session-Id': sessionId,
    }
    return { status: 200, headers, body }
  },

  preflight: (): Reply => ({
    status: 204,
    headers: {
      'Access-Control-Allow-Methods': 'GET, POST, DELETE',
      'Access-Control-Allow-Headers': 'Content-Type, Accept, Authorization, Mcp-Session-Id, MCP-Protocol-Version, Last-Event-ID',
      'Access-Control-Max-Age': '86400',
    },
  }),

  badRequest: (problem: string, code?: number): Reply => failure(400, code ?? -32000, problem),
  unauthorized: (): Reply => failure(401, -32000, 'Unauthorized', { 'WWW-Authenticate': 'Bearer' }),
  forbidden: (problem: string): Reply => failure(403, -32000, `Forbidden: ${problem}`),
  /** Unknown, expired, deleted and foreign sessions: the same bytes. */
  notFound: (): Reply => failure(404, -32001, 'Session not found'),
  methodNotAllowed: (): Reply => failure(405, -32000, 'Method not allowed', { Allow: 'GET, POST, DELETE' }),
  notAcceptable: (types: string): Reply => failure(406, -32000, `Not Acceptable: the client must accept ${types}`),
  tooLarge: (maxBytes: number): Reply =>
    failure(413, -32000, `Payload Too Large: the body has more than ${maxBytes} bytes`, { Connection: 'close' }),
  unsupportedMediaType: (): Reply =>
    failure(415, -32000, 'Unsupported Media Type: the body must be application/json, without a content coding'),
  tooMany: (problem: string, retryAfterSeconds: number): Reply =>
    failure(429, -32000, `Too Many Requests: ${problem}`, { 'Retry-After': String(retryAfterSeconds) }),
  internalError: (): Reply => failure(500, -32603, 'Internal error'),
  unavailable: (problem: string, retryAfterSeconds: number): Reply =>
    failure(503, -32000, `Service Unavailable: ${problem}`, { 'Retry-After': String(retryAfterSeconds) }),
} as const

/** What a failure of the store means to a client. An outage is never a 404: the client would throw its session away. */
export function replyToError(error: unknown): Reply {
  if (error instanceof SessionEnded) return replies.notFound()
  if (!SessionError.is(error)) return replies.internalError()
  if (error.code === 'MCP_SESSION_TOO_LARGE') return failure(413, -32000, 'Payload Too Large: more than a session may hold')
  if (transient.includes(error.code)) return replies.unavailable('the session store does not answer', 2)
  return replies.internalError()
}

/** Whether the answer to it tells all: the store is out of order, the session has ended, or the client sent too much. */
export function isExpected(error: unknown): boolean {
  return SessionError.is(error) && (transient.includes(error.code) || error.code === 'MCP_SESSION_TOO_LARGE')
}

const transient: readonly string[] = [
  'MCP_SESSION_UNAVAILABLE',
  'MCP_SESSION_TIMEOUT',
  'MCP_SESSION_OVERLOADED',
  'MCP_SESSION_LOCKED',
  'MCP_SESSION_LIMIT',
  'MCP_SESSION_CONFLICT',
  'MCP_SESSION_CLOSED',
]

function failure(status: number, code: number, message: string, headers: Record<string, string> = {}): Reply {
  const body = JSON.stringify({ jsonrpc: '2.0', error: { code, message }, id: null })
  return { status, headers: { 'Content-Type': 'application/json', ...headers }, body }
}
