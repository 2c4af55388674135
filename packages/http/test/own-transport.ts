import { createServer } from 'node:http'
import { openSessions } from '@mcp-session/core'
import { sqliteBackend } from '@mcp-session/sqlite'
import type { McpServer, WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/server'
import { z } from 'zod'
import { createEventStore } from '../src/event-store.ts'
import { sendResponse, webRequest } from './web-standard.ts'

// A server of somebody who keeps the SDK's transport: `own-transport.ts v1|v2 <path of the store>`.
const [major = '', path = ''] = process.argv.slice(2)
const sdk = await sdkOf(major)
const backend = sqliteBackend({ path })
const sessions = await openSessions({ backend })
const transports = new Map<string, WebStandardStreamableHTTPServerTransport>()

/** Both majors have these two classes under one name, with the members that are used here. */
async function sdkOf(given: string): Promise<typeof import('@modelcontextprotocol/server')> {
  if (given === 'v2') return import('@modelcontextprotocol/server')
  const { McpServer } = await import('@modelcontextprotocol/sdk/server/mcp.js')
  const { WebStandardStreamableHTTPServerTransport } = await import('@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js')
  return { McpServer, WebStandardStreamableHTTPServerTransport } as unknown as typeof import('@modelcontextprotocol/server')
}

function buildServer(): McpServer {
  const server = new sdk.McpServer({ name: 'own', version: '1' }, { capabilities: { logging: {} } })
  const said = { content: [{ type: 'text' as const, text: 'said' }] }
  server.registerTool('say', { inputSchema: z.object({ word: z.string() }) }, async ({ word }) => {
    await server.sendLoggingMessage({ level: 'info', data: word })
    return said
  })
  server.registerTool('burst', { inputSchema: z.object({ word: z.string() }) }, async ({ word }) => {
    await Promise.all(Array.from({ length: 50 }, (_, index) => server.sendLoggingMessage({ level: 'info', data: `${word}${index}` })))
    return said
  })
  return server
}

async function connect(id: string): Promise<WebStandardStreamableHTTPServerTransport> {
  const eventStore = await createEventStore(backend, id)
  const transport = new sdk.WebStandardStreamableHTTPServerTransport({
    sessionIdGenerator: () => id,
    eventStore,
    async onsessionclosed() {
      await eventStore.delete()
      await sessions.delete(id)
    },
  })
  transport.onclose = () => {
    transports.delete(id)
    void eventStore.close()
  }
  await buildServer().connect(transport)
  transports.set(id, transport)
  return transport
}

/** What the transport does not remember beyond its process: the client's handshake, told again. */
async function restore(id: string, url: string): Promise<WebStandardStreamableHTTPServerTransport | undefined> {
  const session = await sessions.retrieve(id)
  if (session === undefined) return undefined
  const transport = await connect(id)
  const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
  const handshake = await transport.handleRequest(new Request(url, { method: 'POST', headers, body: JSON.stringify(session.context) }))
  await handshake.text()
  return transport
}

async function answer(request: Request): Promise<Response> {
  const id = request.headers.get('mcp-session-id')
  if (id === null) {
    const { id: created } = await sessions.create({}, { context: await request.clone().json() })
    return (await connect(created)).handleRequest(request)
  }
  const transport = transports.get(id) ?? (await restore(id, request.url))
  return transport === undefined ? new Response(null, { status: 404 }) : transport.handleRequest(request)
}

const http = createServer(async (req, res) => sendResponse(res, await answer(await webRequest(req))))
http.listen(0, '127.0.0.1', () => console.log(http.address()))
