import { once } from 'node:events'
import { type Agent, type ClientRequest, type IncomingMessage, request } from 'node:http'
import { Client as ClientV2, StreamableHTTPClientTransport as TransportV2 } from '@modelcontextprotocol/client'
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { LoggingMessageNotificationSchema } from '@modelcontextprotocol/sdk/types.js'

/** A stock client of either SDK. */
export interface StockClient {
  sessionId(): string | undefined
  call(name: string, args?: Record<string, unknown>): Promise<string>
  /** The next text that the server announces. */
  heard(): Promise<unknown>
  terminate(): Promise<void>
  close(): Promise<void>
}

/** `headers` go with every request. */
export async function connectStock(major: 1 | 2, url: URL, headers: Record<string, string> = {}): Promise<StockClient> {
  const options = { requestInit: { headers } }
  return major === 1 ? connectV1(new TransportV1(url, options)) : connectV2(new TransportV2(url, options))
}

async function connectV1(transport: TransportV1): Promise<StockClient> {
  const client = new ClientV1({ name: 'stock', version: '1' })
  const inbox = texts()
  client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => inbox.put(params.data))
  // Its class and its interface differ under exactOptionalPropertyTypes.
  await client.connect(transport as Parameters<ClientV1['connect']>[0])
  return {
    sessionId: () => transport.sessionId,
    call: async (name, args = {}) => textOf(await client.callTool({ name, arguments: args })),
    heard: inbox.next,
    terminate: () => transport.terminateSession(),
    close: () => client.close(),
  }
}

async function connectV2(transport: TransportV2): Promise<StockClient> {
  const client = new ClientV2({ name: 'stock', version: '2' })
  const inbox = texts()
  client.setNotificationHandler('notifications/message', ({ params }) => inbox.put(params.data))
  await client.connect(transport)
  return {
    sessionId: () => transport.sessionId,
    call: async (name, args = {}) => textOf(await client.callTool({ name, arguments: args })),
    heard: inbox.next,
    terminate: () => transport.terminateSession(),
    close: () => client.close(),
  }
}

function textOf(result: Record<string, unknown>): string {
  const { content } = result
  const [first]: unknown[] = Array.isArray(content) ? content : []
  return typeof first === 'object' && first !== null && 'text' in first ? String(first.text) : ''
}

function texts(): { put(text: unknown): void; next: () => Promise<unknown> } {
  const unread: unknown[] = []
  const readers: ((text: unknown) => void)[] = []
  return {
    put(text) {
      const reader = readers.shift()
      if (reader === undefined) unread.push(text)
      else reader(text)
    },
    next: () =>
      new Promise((resolve) => {
        if (unread.length > 0) resolve(unread.shift())
        else readers.push(resolve)
      }),
  }
}

export const both = 'application/json, text/event-stream'
export const ping = { jsonrpc: '2.0', id: 1, method: 'ping' } as const
export const initialize = {
  jsonrpc: '2.0',
  id: 0,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'raw', version: '1' } },
} as const

export function callOf(name: string, args: Record<string, unknown> = {}): Record<string, unknown> {
  return { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: args } }
}

/** Posts a message, or a text as it is. */
export function post(url: URL, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  const given = { 'content-type': 'application/json', accept: both, ...headers }
  return fetch(url, { method: 'POST', headers: given, body: typeof body === 'string' ? body : JSON.stringify(body) })
}

/** The headers of a new session. */
export async function newSession(url: URL, headers: Record<string, string> = {}): Promise<Record<string, string>> {
  const answer = await post(url, initialize, headers)
  const id = answer.headers.get('mcp-session-id')
  if (id === null) throw new Error(`${answer.status} ${await answer.text()}`)
  await answer.text()
  return { ...headers, 'mcp-session-id': id, 'mcp-protocol-version': '2025-11-25' }
}

/** A GET stream whose bytes are seen as they come, before anything decodes them. */
export async function openStream(url: URL, headers: Record<string, string>): Promise<{ sent: ClientRequest; answer: IncomingMessage }> {
  const sent = request(url, { agent: false, headers: { accept: 'text/event-stream', 'accept-encoding': 'gzip, br, deflate', ...headers } })
  sent.end()
  const [answer]: IncomingMessage[] = await once(sent, 'response')
  if (answer === undefined) throw new Error('no answer')
  return { sent, answer }
}

/** One request on a connection of the agent's: its status, and the port that it came from. */
export async function sendOn(
  agent: Agent,
  url: URL,
  { method = 'POST', headers, body = '' }: { method?: string; headers: Record<string, string>; body?: string },
): Promise<{ status: number | undefined; from: number | undefined }> {
  const sent = request(url, { method, agent, headers: { ...headers, 'content-length': String(Buffer.byteLength(body)) } })
  sent.end(body)
  const [answer]: IncomingMessage[] = await once(sent, 'response')
  const from = answer?.socket.localPort
  await once(answer?.resume() ?? sent, 'end')
  return { status: answer?.statusCode, from }
}
