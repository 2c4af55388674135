import { McpServer } from '@modelcontextprotocol/server'
import { z } from 'zod'
import { argumentShape, type Tool, wordQuestion } from './tools.ts'

/** A server of SDK 2.x with these tools. */
export function serverV2(tools: Readonly<Record<string, Tool>>): McpServer {
  const server = new McpServer({ name: 'torture-v2', version: '1' }, { capabilities: { logging: {} } })
  for (const [name, tool] of Object.entries(tools)) {
    server.registerTool(name, { inputSchema: z.object(argumentShape) }, async (given, { mcpReq }) => {
      const text = await tool({
        ...given,
        async progress(step) {
          const progressToken = mcpReq._meta?.progressToken
          if (progressToken === undefined) return
          await mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress: step } })
        },
        async elicit(word, on) {
          const related = on === 'call' ? { relatedRequestId: mcpReq.id } : {}
          const { action, content } = await server.server.elicitInput(wordQuestion(word), related)
          return `${action} ${content?.['word']}`
        },
      })
      return { content: [{ type: 'text', text }] }
    })
  }
  return server
}
