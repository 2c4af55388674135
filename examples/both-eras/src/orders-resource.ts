import type { McpServer } from '@modelcontextprotocol/server'
import type { Orders } from './orders.ts'

/** What modern clients can listen to: the event bus tells of its updates, whichever process sold something. */
export function registerOrders(server: McpServer, orders: Orders): void {
  server.registerResource('orders', orders.uri, { description: 'How many orders there are' }, async ({ href }) => ({
    contents: [{ uri: href, text: String(await orders.count()) }],
  }))
}
