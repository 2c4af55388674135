import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { z } from 'zod'
import { type CounterSession, countUp } from './counter.ts'

/** A server of SDK 1.x for one session. It is built anew wherever the session goes on. */
export function buildServerV1(session: CounterSession): McpServer {
  const server = new McpServer({ name: 'counter', version: '1.0.0' }, { capabilities: { logging: {} } })
  server.registerTool(
    'count',
    {
      description: 'Counts the calls in this session.',
      outputSchema: { counter: z.number(), pid: z.number(), client: z.string() },
    },
    async () => {
      const answer = await countUp(session, server.server.getClientVersion()?.name)
      return { structuredContent: answer, content: [{ type: 'text', text: JSON.stringify(answer) }] }
    },
  )
  return server
}
