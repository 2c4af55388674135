/** A client that sees statuses, headers and bytes. */
export interface RawClient {
  readonly sessionId: string
  post(body: unknown, headers?: Record<string, string>): Promise<Response>
  call(name: string, args?: Record<string, unknown>, id?: number | string): Promise<Response>
  get(headers?: Record<string, string>): Promise<Response>
  delete(): Promise<Response>
}

export type Send = (request: Request) => Promise<Response>

export function initializeBody(protocolVersion = '2025-11-25', capabilities: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    jsonrpc: '2.0',
    id: 0,
    method: 'initialize',
    params: { protocolVersion, capabilities, clientInfo: { name: 'raw', version: '1' } },
  }
}

export function postRequest(url: URL, body: unknown, headers: Record<string, string> = {}): Request {
  return new Request(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
}

export async function rawClient(
  url: URL,
  {
    send = fetch,
    version = '2025-11-25',
    capabilities = {},
  }: { send?: Send; version?: string; capabilities?: Record<string, unknown> } = {},
): Promise<RawClient> {
  const answer = await send(postRequest(url, initializeBody(version, capabilities)))
  const sessionId = answer.headers.get('mcp-session-id')
  if (sessionId === null) throw new Error(`initialize: ${answer.status} ${await answer.text()}`)
  await answer.body?.cancel()
  return knownSession(url, sessionId, { send, version })
}

/** A client that knows a session already. */
export function knownSession(
  url: URL,
  sessionId: string,
  { send = fetch, version = '2025-11-25' }: { send?: Send; version?: string } = {},
): RawClient {
  const known = { 'mcp-session-id': sessionId, 'mcp-protocol-version': version }
  const post: RawClient['post'] = (body, headers = {}) => send(postRequest(url, body, { ...known, ...headers }))
  return {
    sessionId,
    post,
    call: (name, args = {}, id = 1) =>
      post({ jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: args, _meta: { progressToken: `token ${id}` } } }),
    get: (headers = {}) => send(new Request(url, { headers: { accept: 'text/event-stream', ...known, ...headers } })),
    delete: () => send(new Request(url, { method: 'DELETE', headers: known })),
  }
}

export interface SseEvent {
  readonly id: string | undefined
  readonly retry: string | undefined
  /** Undefined: the frame had no data line. */
  readonly data: string | undefined
}

/** Reads a stream event by event; `undefined` is the end. Comments are skipped. */
export function sseEvents(response: Response): {
  next(): Promise<SseEvent | undefined>
  rest(): Promise<SseEvent[]>
  cancel(): Promise<void>
} {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  let buffered = ''
  async function next(): Promise<SseEvent | undefined> {
    for (;;) {
      const end = buffered.indexOf('\n\n')
      if (end >= 0) {
        const frame = buffered.slice(0, end)
        buffered = buffered.slice(end + 2)
        if (frame.startsWith(':')) continue
        return { id: field(frame, 'id'), retry: field(frame, 'retry'), data: field(frame, 'data') }
      }
      const chunk = await reader?.read()
      if (chunk === undefined || chunk.done) return undefined
      buffered += chunk.value
    }
  }
  return {
    next,
    async rest() {
      const events: SseEvent[] = []
      for (let event = await next(); event !== undefined; event = await next()) events.push(event)
      return events
    },
    async cancel() {
      await reader?.cancel()
    },
  }
}

function field(frame: string, name: string): string | undefined {
  const line = frame.split('\n').find((candidate) => candidate.startsWith(`${name}: `) || candidate === `${name}:`)
  return line?.slice(name.length + 2)
}
