import { randomUUID } from 'node:crypto'
import { NodeStreamableHTTPServerTransport } from '@modelcontextprotocol/node'
import { McpServer } from '@modelcontextprotocol/server'
import type { StockTransport } from './stock.ts'
import { serverName, tools } from './tools.ts'

export function makeServer(): McpServer {
  const server = new McpServer(serverName)
  for (const [name, { description, run }] of Object.entries(tools)) server.registerTool(name, { description }, run)
  return server
}

export async function connectStock(onOpened: (sessionId: string, transport: StockTransport) => void): Promise<StockTransport> {
  const transport: NodeStreamableHTTPServerTransport = new NodeStreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    enableJsonResponse: true,
    onsessioninitialized(sessionId) {
      onOpened(sessionId, transport)
    },
  })
  await makeServer().connect(transport)
  return transport
}
