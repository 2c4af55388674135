import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type SessionEvents, sessionEvents } from './session-events.ts'

/** The same server behind the SDK's own transport, with its sessions in this process: what ours is compared with. */
export interface StockHandler {
  node(request: IncomingMessage, response: ServerResponse): Promise<void>
  close(): Promise<void>
}

/** The part of the SDK's transport that is used, in both majors. */
export interface StockTransport {
  handleRequest(request: IncomingMessage, response: ServerResponse): Promise<void>
  close(): Promise<void>
}

/** Options of the SDK's transport, in both majors. */
export interface StockOptions {
  readonly sessionIdGenerator: () => string
  readonly onsessioninitialized: (id: string) => void
  readonly onsessionclosed: (id: string) => void
  readonly eventStore: SessionEvents
  readonly retryInterval: number
  readonly enableDnsRebindingProtection: boolean
  readonly allowedHosts: string[]
}

/** `connect` makes a server and connects it to a transport of its own. */
export function stockHandler(connect: (options: StockOptions) => Promise<StockTransport>): StockHandler {
  const sessions = new Map<string, StockTransport>()

  async function newSession(port: number | undefined): Promise<StockTransport> {
    const transport = await connect({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => void sessions.set(id, transport),
      onsessionclosed: (id) => void sessions.delete(id),
      eventStore: sessionEvents(),
      retryInterval: 3_000,
      enableDnsRebindingProtection: true,
      allowedHosts: [`127.0.0.1:${port}`, `localhost:${port}`],
    })
    return transport
  }

  return {
    async node(request, response) {
      const id = request.headers['mcp-session-id']
      const transport = typeof id === 'string' ? sessions.get(id) : await newSession(request.socket.localPort)
      if (transport === undefined) response.writeHead(404).end()
      else await transport.handleRequest(request, response)
    },
    async close() {
      await Promise.all([...sessions.values()].map((transport) => transport.close()))
    },
  }
}
