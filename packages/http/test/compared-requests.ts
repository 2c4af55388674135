import { gzipSync } from 'node:zlib'
import type { PlainRequest } from './http-request.ts'
import { initializeBody } from './raw-client.ts'
import { bodyBound } from './stock-servers.ts'

/** A request, and what it is answered with here and by the servers of both SDKs: the status, and the code of a JSON-RPC error. */
export type Compared = {
  readonly rule: string
  /** With the id of a session of revision 2025-11-25, unless `isFresh`: the first request that the server gets. */
  readonly request: (sessionId: string) => PlainRequest
  readonly isFresh?: true
  readonly answer: string
} & (
  | { readonly stock?: never; readonly because?: never }
  // Where the answers differ something must say why.
  | { readonly stock: string; readonly because: string }
)

export const ping = { jsonrpc: '2.0', id: 1, method: 'ping' } as const
export const initialized = { jsonrpc: '2.0', method: 'notifications/initialized' } as const
export const clientAnswer = { jsonrpc: '2.0', id: 'nobody asked', result: {} } as const

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>

export const known = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' } as const

/** A POST of JSON, unless it is told otherwise; `undefined` leaves a header out. */
function post(headers: Headers = {}, body: unknown = ping, method = 'POST') {
  return (sessionId: string): PlainRequest => {
    const all: Headers = { ...known, 'mcp-protocol-version': '2025-11-25', 'mcp-session-id': sessionId, ...headers }
    const given: Record<string, string | readonly string[]> = {}
    for (const [name, value] of Object.entries(all)) if (value !== undefined) given[name] = value
    const isRaw = typeof body === 'string' || body instanceof Uint8Array || method !== 'POST'
    return { method, headers: given, body: isRaw ? rawBody(body) : JSON.stringify(body) }
  }
}

function rawBody(body: unknown): string | Uint8Array {
  return typeof body === 'string' || body instanceof Uint8Array ? body : ''
}

const get = (headers: Headers = {}) => post({ accept: 'text/event-stream', 'content-type': undefined, ...headers }, '', 'GET')
const del = (headers: Headers = {}) => post({ accept: undefined, 'content-type': undefined, ...headers }, '', 'DELETE')
const first = (headers: Headers = {}, body: unknown = initializeBody()) => post({ 'mcp-session-id': undefined, ...headers }, body)
const withId = (id: string) => post({}, JSON.stringify(ping).replace('"id":1', `"id":${id}`))
const chunks =
  (...body: string[]) =>
  (sessionId: string) => ({ ...post()(sessionId), body })

const text = JSON.stringify(ping)
const accept = 'RFC 9110 section 12.5.1: ranges, weights and case of media types'
const invalidRequest = 'JSON-RPC 2.0 section 5.1: −32700 is no JSON, −32600 is JSON that is no message'
const batches = 'only 2025-03-26 has batches'
const notOneSession = 'the SDK’s transport is one session; here a client without an id gets a new one'

export const comparedRequests: readonly Compared[] = [
  { rule: 'a request', request: post(), answer: '200' },
  { rule: 'a notification', request: post({}, initialized), answer: '202' },
  { rule: 'a result that nobody waits for', request: post({}, clientAnswer), answer: '202' },
  { rule: 'an error without an id', request: post({}, { jsonrpc: '2.0', error: { code: 1, message: '' } }), answer: '202' },
  {
    rule: 'an error whose id is null',
    request: post({}, { jsonrpc: '2.0', id: null, error: { code: 1, message: '' } }),
    answer: '202',
    stock: '400 -32700',
    because: 'JSON-RPC 2.0 section 5: null where the id could not be made out',
  },
  { rule: 'an unknown method', request: post({}, { ...ping, method: 'nope' }), answer: '200 -32601' },

  { rule: 'no Accept', request: post({ accept: undefined }), answer: '406 -32000' },
  { rule: 'Accept of JSON only', request: post({ accept: 'application/json' }), answer: '406 -32000' },
  { rule: 'Accept of streams only', request: post({ accept: 'text/event-stream' }), answer: '406 -32000' },
  { rule: 'Accept in two lines', request: post({ accept: ['application/json', 'text/event-stream'] }), answer: '200' },
  { rule: 'Accept with weights', request: post({ accept: 'text/event-stream;q=0.1, application/json; q=0.5' }), answer: '200' },
  { rule: 'Accept */*', request: post({ accept: '*/*' }), answer: '200', stock: '406 -32000', because: accept },
  {
    rule: 'Accept of both families',
    request: post({ accept: 'application/*, text/*' }),
    answer: '200',
    stock: '406 -32000',
    because: accept,
  },
  {
    rule: 'Accept in upper case',
    request: post({ accept: 'Application/JSON, TEXT/*' }),
    answer: '200',
    stock: '406 -32000',
    because: accept,
  },
  { rule: 'a refused stream', request: post({ accept: `${known.accept};q=0` }), answer: '406 -32000', stock: '200', because: accept },
  { rule: 'a refused one among all', request: post({ accept: 'text/event-stream;q=0.000, */*' }), answer: '406 -32000' },
  { rule: 'a type that begins alike', request: post({ accept: `x${known.accept}x` }), answer: '406 -32000', stock: '200', because: accept },
  { rule: 'GET with Accept */*', request: get({ accept: '*/*' }), answer: '200', stock: '406 -32000', because: accept },
  { rule: 'GET with Accept of JSON only', request: get({ accept: 'application/json' }), answer: '406 -32000' },
  {
    rule: 'GET with a refused stream',
    request: get({ accept: 'text/event-stream;q=0' }),
    answer: '406 -32000',
    stock: '200',
    because: accept,
  },

  { rule: 'no Content-Type', request: post({ 'content-type': undefined }), answer: '415 -32000' },
  { rule: 'another Content-Type', request: post({ 'content-type': 'text/plain' }), answer: '415 -32000' },
  { rule: 'two Content-Types', request: post({ 'content-type': ['application/json', 'text/plain'] }), answer: '415 -32000' },
  { rule: 'Content-Type with a charset', request: post({ 'content-type': 'Application/JSON; charset=UTF-8' }), answer: '200' },
  {
    rule: 'a compressed body',
    request: post({ 'content-encoding': 'gzip' }, gzipSync(text)),
    answer: '415 -32000',
    stock: '400 -32700',
    because: 'RFC 9110 section 15.5.16: 415 for a content coding, too',
  },
  { rule: 'the coding identity', request: post({ 'content-encoding': 'identity' }), answer: '200' },

  { rule: 'no session id', request: post({ 'mcp-session-id': undefined }), answer: '400 -32000' },
  { rule: 'an empty session id', request: post({ 'mcp-session-id': '' }), answer: '400 -32000' },
  { rule: 'an unknown session id', request: post({ 'mcp-session-id': 'unknown' }), answer: '404 -32001' },
  { rule: 'the session id twice', request: (id) => post({ 'mcp-session-id': [id, id] })(id), answer: '404 -32001' },
  { rule: 'GET without a session id', request: get({ 'mcp-session-id': undefined }), answer: '400 -32000' },
  { rule: 'GET of an unknown session', request: get({ 'mcp-session-id': 'unknown' }), answer: '404 -32001' },
  { rule: 'DELETE without a session id', request: del({ 'mcp-session-id': undefined }), answer: '400 -32000' },
  { rule: 'DELETE of an unknown session', request: del({ 'mcp-session-id': 'unknown' }), answer: '404 -32001' },

  { rule: 'no version', request: post({ 'mcp-protocol-version': undefined }), answer: '200' },
  { rule: 'an older version than was agreed on', request: post({ 'mcp-protocol-version': '2025-03-26' }), answer: '200' },
  { rule: 'a version that does not exist', request: post({ 'mcp-protocol-version': '1.0' }), answer: '400 -32000' },
  { rule: 'a version without sessions', request: post({ 'mcp-protocol-version': '2026-07-28' }), answer: '400 -32000' },
  { rule: 'an empty version', request: post({ 'mcp-protocol-version': '' }), answer: '400 -32000' },
  { rule: 'the version twice', request: post({ 'mcp-protocol-version': ['2025-11-25', '2025-11-25'] }), answer: '400 -32000' },
  { rule: 'GET with an unknown version', request: get({ 'mcp-protocol-version': '1.0' }), answer: '400 -32000' },
  { rule: 'DELETE with an unknown version', request: del({ 'mcp-protocol-version': '1.0' }), answer: '400 -32000' },
  {
    rule: 'an unknown version of an unknown session',
    request: post({ 'mcp-protocol-version': '1.0', 'mcp-session-id': 'unknown' }),
    answer: '404 -32001',
  },

  { rule: 'a body with a byte order mark', request: post({}, `\uFEFF${text}`), answer: '200' },
  { rule: 'a body in chunks', request: chunks(text.slice(0, 9), text.slice(9)), answer: '200' },
  { rule: 'a body that fills the bound', request: post({}, text.padEnd(bodyBound)), answer: '200' },
  { rule: 'a body over the bound', request: post({}, text.padEnd(bodyBound + 1)), answer: '413 -32000' },
  { rule: 'chunks over the bound', request: chunks(text, ' '.repeat(bodyBound)), answer: '413 -32000' },
  { rule: 'no body', request: post({}, ''), answer: '400 -32700' },
  { rule: 'JSON that ends too early', request: post({}, '{"jsonrpc"'), answer: '400 -32700' },
  { rule: 'UTF-16', request: post({}, Buffer.from(text, 'utf16le')), answer: '400 -32700' },
  {
    rule: 'Latin-1',
    request: post({}, Buffer.from('{"jsonrpc":"2.0","id":1,"method":"ping","params":{"name":"\xE9"}}', 'latin1')),
    answer: '400 -32700',
    stock: '200',
    because: 'all revisions, transports: messages MUST be UTF-8',
  },
  { rule: 'JSON that is no object', request: post({}, 'null'), answer: '400 -32600', stock: '400 -32700', because: invalidRequest },
  {
    rule: 'no member jsonrpc',
    request: post({}, { id: 1, method: 'ping' }),
    answer: '400 -32600',
    stock: '400 -32700',
    because: invalidRequest,
  },

  { rule: 'an id below 0', request: withId('-1'), answer: '200' },
  { rule: 'an id that is an empty text', request: withId('""'), answer: '200' },
  ...['null', '1.5', '9007199254740993', '1e300', '{}', 'true'].map((id) => ({
    rule: `the id ${id}`,
    request: withId(id),
    answer: '400 -32600',
    stock: '400 -32700',
    because: invalidRequest,
  })),

  { rule: 'a batch', request: post({}, [ping]), answer: '400 -32600', stock: '200', because: batches },
  { rule: 'a batch of notifications', request: post({}, [initialized]), answer: '400 -32600', stock: '202', because: batches },
  { rule: 'an empty batch', request: post({}, []), answer: '400 -32600', stock: '202', because: batches },
  { rule: '101 messages', request: post({}, Array(101).fill(initialized)), answer: '400 -32600' },

  { rule: 'the first initialize', request: first(), isFresh: true, answer: '200' },
  { rule: 'initialize with an empty session id', request: first({ 'mcp-session-id': '' }), isFresh: true, answer: '200' },
  { rule: 'initialize with an unknown version header', request: first({ 'mcp-protocol-version': '1.0' }), isFresh: true, answer: '200' },
  {
    rule: 'initialize with a revision that does not exist',
    request: first({}, initializeBody('1999-01-01')),
    isFresh: true,
    answer: '200',
  },
  { rule: 'a request before initialize', request: first({}, ping), isFresh: true, answer: '400 -32000' },
  { rule: 'initialize and ping in one batch', request: first({}, [initializeBody(), ping]), isFresh: true, answer: '400 -32600' },
  {
    rule: 'initialize as a batch of one',
    request: first({}, [initializeBody()]),
    isFresh: true,
    answer: '400 -32600',
    stock: '200',
    because: '2025-03-26, lifecycle: initialize MUST NOT be part of a batch',
  },
  {
    rule: 'initialize with the id of a session that is gone',
    request: first({ 'mcp-session-id': 'gone' }),
    isFresh: true,
    answer: '404 -32001',
    stock: '200',
    because: 'all revisions, session management: 404 for all requests with that id; the next initialize MUST come without it',
  },
  { rule: 'initialize in a session', request: post({}, initializeBody()), answer: '400 -32600' },
  { rule: 'initialize for a second session', request: first(), answer: '200', stock: '400 -32600', because: notOneSession },

  { rule: 'GET', request: get(), answer: '200' },
  { rule: 'GET with an empty Last-Event-ID', request: get({ 'last-event-id': '' }), answer: '200' },
  { rule: 'DELETE', request: del(), answer: '200' },
  ...['PUT', 'PATCH', 'OPTIONS'].map((method) => ({ rule: method, request: post({}, '', method), answer: '405 -32000' })),
  { rule: 'HEAD', request: post({}, '', 'HEAD'), answer: '405' },
  {
    rule: 'a foreign Origin',
    request: post({ origin: 'https://evil.example' }),
    answer: '403 -32000',
    stock: '200',
    because: 'all revisions, security warning: Origin MUST be validated (2025-11-25: 403); the SDKs leave it to middleware',
  },
  {
    rule: 'a foreign Host',
    request: post({ host: 'evil.example' }),
    answer: '403 -32000',
    stock: '200',
    because: 'all revisions, security warning: DNS rebinding; the SDKs leave it to middleware',
  },
]
