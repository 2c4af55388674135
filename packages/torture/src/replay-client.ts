/** A law is broken; the message says which. */
export class Broken extends Error {}

/** The requests of one session's client. */
export interface ReplayClient {
  readonly sessionId: string
  call(id: string, params: Readonly<Record<string, unknown>>): Promise<Response>
  /** Without an event id: the standalone stream, fresh. */
  get(lastEventId?: string): Promise<Response>
  delete(): Promise<Response>
}

const url = 'http://127.0.0.1/mcp'
const version = '2025-11-25'

export async function initialize(send: (request: Request) => Promise<Response>): Promise<ReplayClient> {
  const params = { protocolVersion: version, capabilities: {}, clientInfo: { name: 'replay', version: '1' } }
  const response = await send(post({ jsonrpc: '2.0', id: 0, method: 'initialize', params }, {}))
  const sessionId = response.headers.get('mcp-session-id')
  if (sessionId === null) throw new Broken(`initialize: ${await answerText(response)}`)
  await response.body?.cancel()
  const known = { 'mcp-session-id': sessionId, 'mcp-protocol-version': version }
  return {
    sessionId,
    call: (id, params) => send(post({ jsonrpc: '2.0', id, method: 'tools/call', params }, known)),
    get(lastEventId) {
      const resumed = lastEventId === undefined ? {} : { 'last-event-id': lastEventId }
      return send(new Request(url, { headers: { accept: 'text/event-stream', ...known, ...resumed } }))
    },
    delete: () => send(new Request(url, { method: 'DELETE', headers: known })),
  }
}

/** For a sentence about an answer that should have been another. */
export async function answerText(response: Response): Promise<string> {
  const text = response.headers.get('content-type') === 'text/event-stream' ? 'a stream' : await response.text()
  return `${response.status} ${text}`
}

const sentText = /"(?:data|text)":"([^"]+)"/

/** The text that the harness has sent, of a log message or an answer. */
export function textOf(message: string): string {
  return sentText.exec(message)?.[1] ?? message
}

function post(message: unknown, headers: Record<string, string>): Request {
  return new Request(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers },
    body: JSON.stringify(message),
  })
}
