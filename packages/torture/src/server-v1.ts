import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { argumentShape, type Tool, wordQuestion } from './tools.ts'

/** A server of SDK 1.x with these tools. */
export function serverV1(tools: Readonly<Record<string, Tool>>): McpServer {
  const server = new McpServer({ name: 'torture-v1', version: '1' }, { capabilities: { logging: {} } })
  for (const [name, tool] of Object.entries(tools)) {
    server.registerTool(name, { inputSchema: argumentShape }, async (given, { requestId, _meta, sendNotification }) => {
      const text = await tool({
        ...given,
        async progress(step) {
          const progressToken = _meta?.progressToken
          if (progressToken === undefined) return
          await sendNotification({ method: 'notifications/progress', params: { progressToken, progress: step } })
        },
        async elicit(word, on) {
          const related = on === 'call' ? { relatedRequestId: requestId } : {}
          const { action, content } = await server.server.elicitInput(wordQuestion(word), related)
          return `${action} ${content?.['word']}`
        },
      })
      return { content: [{ type: 'text', text }] }
    })
  }
  return server
}
