import { createServer } from 'node:http'
import { createSessionHandler } from '@mcp-session/http'
import { sqliteBackend } from '@mcp-session/sqlite'
import { McpServer } from '@modelcontextprotocol/server' // or '@modelcontextprotocol/sdk/server/mcp.js'
import { z } from 'zod'

const handler = await createSessionHandler({
  backend: sqliteBackend({ path: 'sessions.db' }),
  schema: z.object({ counter: z.number().default(0) }),
  principal: 'anonymous',
  server({ session }) {
    const server = new McpServer({ name: 'counter', version: '1.0.0' })
    server.registerTool('count', { description: 'Counts the calls of this session' }, async () => {
      const { counter } = await session.update((metadata) => ({ ...metadata, counter: metadata.counter + 1 }))
      return { content: [{ type: 'text', text: String(counter) }] }
    })
    return server
  },
})

const port = Number(process.env['PORT'] ?? 3000)
const server = createServer(handler.node).listen(port, '127.0.0.1', () => console.log(server.address()))
process.once('SIGTERM', async () => {
  await handler.close()
  server.close()
  setImmediate(() => server.closeIdleConnections()) // the connection of a stream that has just ended
  setTimeout(() => server.closeAllConnections(), 1_000).unref() // of clients that do not read, or have never asked
})
