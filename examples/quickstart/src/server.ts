import { createServer } from 'node:http'
import { createSessionHandler } from '@mcp-session/http'
import { sqliteBackend } from '@mcp-session/sqlite'
import { McpServer } from '@modelcontextprotocol/server'
import { z } from 'zod'

const handler = await createSessionHandler({
  backend: sqliteBackend({ path: process.argv[2] ?? 'sessions.db' }),
  schema: z.object({ counter: z.number().default(0) }),
  principal: 'anonymous', // behind OAuth: ({ authInfo }) => authInfo && [issuer, subject, authInfo.clientId]
  server: ({ session }) => {
    const server = new McpServer({ name: 'counter', version: '1.0.0' })
    server.registerTool('count', { description: 'Counts the calls of this session.' }, async () => {
      const { counter } = await session.update((metadata) => ({ counter: metadata.counter + 1 }))
      return { content: [{ type: 'text', text: `${counter}` }] }
    })
    return server
  },
})

const port = Number(process.env['PORT'] ?? 3000)
createServer(handler.node).listen(port, '127.0.0.1', () => console.log(`http://127.0.0.1:${port}/mcp`))
