import { randomUUID } from 'node:crypto'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import { type Say, type StockSession, serveStock } from './stock-server.ts'

// The control: the same server on the transport that SDK 1.x ships, as its documentation wires it.
await serveStock(async (live) => {
  const server = new McpServer({ name: 'stock', version: '1.0.0' }, { capabilities: { logging: {} } })
  let counter = 0
  server.registerTool('count', { description: 'Counts.' }, () => {
    const result = { counter: ++counter, pid: process.pid, client: server.server.getClientVersion()?.name ?? '' }
    return { structuredContent: result, content: [{ type: 'text', text: JSON.stringify(result) }] }
  })
  const say: Say = (data) => server.sendLoggingMessage({ level: 'info', data })
  const transport = new StreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    onsessioninitialized: (id) => void live.set(id, session),
    onsessionclosed: (id) => void live.delete(id),
  })
  const session: StockSession = { say, handle: (incoming, outgoing) => transport.handleRequest(incoming, outgoing) }
  await server.connect(transport)
  return session
})
