import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { McpServer as McpServerV1 } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StreamableHTTPServerTransport as TransportV1 } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import { McpServer as McpServerV2, WebStandardStreamableHTTPServerTransport as TransportV2 } from '@modelcontextprotocol/server'
import { onTestFinished } from 'vitest'
import { type Listening, listen } from './listening.ts'

/** A server of the SDK with the SDK's own transport, which serves one session: what its clients are used to. */
export async function startStockServer(major: 1 | 2): Promise<Listening> {
  const { handle, close } = major === 1 ? await stockV1() : await stockV2()
  const listening = await listen(handle)
  onTestFinished(async () => {
    await close()
    await listening.close()
  })
  return listening
}

interface Stock {
  readonly handle: (req: IncomingMessage, res: ServerResponse) => Promise<unknown>
  readonly close: () => Promise<void>
}

async function stockV1(): Promise<Stock> {
  const transport = new TransportV1({ sessionIdGenerator: randomUUID, maxRequestBodySize: bodyBound, enableJsonResponse: true })
  const server = new McpServerV1({ name: 'stock', version: '1' })
  // Its class and its interface differ under exactOptionalPropertyTypes.
  await server.connect(transport as Parameters<McpServerV1['connect']>[0])
  return { handle: (req, res) => transport.handleRequest(req, res), close: () => server.close() }
}

async function stockV2(): Promise<Stock> {
  const transport = new TransportV2({ sessionIdGenerator: randomUUID, maxRequestBodySize: bodyBound, enableJsonResponse: true })
  const server = new McpServerV2({ name: 'stock', version: '2' })
  await server.connect(transport)
  return {
    async handle(req, res) {
      const answer = await transport.handleRequest(standardRequest(req))
      res.writeHead(answer.status, Object.fromEntries(answer.headers))
      res.flushHeaders()
      // A client that goes away is no failure here.
      if (answer.body !== null) await pipeline(Readable.fromWeb(answer.body), res).catch(() => {})
      else res.end()
    },
    close: () => server.close(),
  }
}

/** Of all servers that are compared. */
export const bodyBound = 10_000

function standardRequest(req: IncomingMessage): Request {
  const headers = new Headers()
  for (const [name, values = []] of Object.entries(req.headersDistinct)) for (const value of values) headers.append(name, value)
  const { method = 'GET' } = req
  const body = method === 'GET' || method === 'HEAD' ? {} : { body: Readable.toWeb(req), duplex: 'half' as const }
  return new Request(`http://127.0.0.1${req.url}`, { method, headers, ...body })
}
