import { Client as ClientV2, StreamableHTTPClientTransport as TransportV2 } from '@modelcontextprotocol/client'
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { ListRootsRequestSchema, LoggingMessageNotificationSchema } from '@modelcontextprotocol/sdk/types.js'

/** A stock SDK client with stock reconnection options, and the little of it that tests need. */
export interface StockClient {
  readonly sessionId: string | undefined
  /** The text of a tool's answer. */
  call(name: string, args?: Record<string, unknown>, options?: CallOptions): Promise<string>
  /** The next log message that the client's handler gets. */
  nextLog(): Promise<unknown>
  /** Log messages received so far. */
  readonly logs: readonly unknown[]
  terminate(): Promise<void>
  close(): Promise<void>
}

export interface CallOptions {
  readonly signal?: AbortSignal
  readonly onprogress?: (progress: { progress: number; message?: string | undefined }) => void
}

const identity = { name: 'stock', version: '7' }
const roots = [{ uri: 'file:///root' }]

/** Connects a client; `onPrimed` is called when the first bytes of a GET stream have passed to it. */
export function connectClient(major: 1 | 2, url: URL, onPrimed?: () => void): Promise<StockClient> {
  const options = onPrimed === undefined ? {} : { fetch: watchingFetch(onPrimed) }
  return major === 1 ? connectV1(new TransportV1(url, options)) : connectV2(new TransportV2(url, options))
}

function watchingFetch(onPrimed: () => void) {
  return async (input: string | URL, init?: RequestInit): Promise<Response> => {
    const response = await fetch(input, init)
    if (init?.method !== 'GET' || response.body === null) return response
    const watched = new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        controller.enqueue(chunk)
        onPrimed()
      },
    })
    return new Response(response.body.pipeThrough(watched), response)
  }
}

async function connectV1(transport: TransportV1): Promise<StockClient> {
  const client = new ClientV1(identity, { capabilities: { roots: {} } })
  const inbox = logInbox()
  client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => inbox.put(params.data))
  client.setRequestHandler(ListRootsRequestSchema, () => ({ roots }))
  await client.connect(transport)
  return {
    get sessionId() {
      return transport.sessionId
    },
    call: async (name, args = {}, options = {}) => textOf(await client.callTool({ name, arguments: args }, undefined, options)),
    nextLog: inbox.next,
    logs: inbox.all,
    terminate: () => transport.terminateSession(),
    close: () => client.close(),
  }
}

async function connectV2(transport: TransportV2): Promise<StockClient> {
  const client = new ClientV2(identity, { capabilities: { roots: {} } })
  const inbox = logInbox()
  client.setNotificationHandler('notifications/message', ({ params }) => inbox.put(params.data))
  client.setRequestHandler('roots/list', () => ({ roots }))
  await client.connect(transport)
  return {
    get sessionId() {
      return transport.sessionId
    },
    call: async (name, args = {}, options = {}) => textOf(await client.callTool({ name, arguments: args }, options)),
    nextLog: inbox.next,
    logs: inbox.all,
    terminate: () => transport.terminateSession(),
    close: () => client.close(),
  }
}

function textOf(result: Record<string, unknown>): string {
  const [first]: unknown[] = Array.isArray(result['content']) ? result['content'] : []
  return typeof first === 'object' && first !== null && 'text' in first ? String(first.text) : JSON.stringify(result)
}

function logInbox(): { put(data: unknown): void; next: () => Promise<unknown>; all: readonly unknown[] } {
  const all: unknown[] = []
  const unread: unknown[] = []
  const readers: ((data: unknown) => void)[] = []
  return {
    all,
    put(data) {
      all.push(data)
      const reader = readers.shift()
      if (reader === undefined) unread.push(data)
      else reader(data)
    },
    next: () =>
      new Promise((resolve) => {
        if (unread.length > 0) resolve(unread.shift())
        else readers.push(resolve)
      }),
  }
}
