import { completable } from '@modelcontextprotocol/sdk/server/completable.js'
import { McpServer, ResourceTemplate } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import type { RequestHandlerExtra } from '@modelcontextprotocol/sdk/shared/protocol.js'
import {
  CreateMessageResultSchema,
  ElicitResultSchema,
  type ServerNotification,
  type ServerRequest,
  SubscribeRequestSchema,
  UnsubscribeRequestSchema,
} from '@modelcontextprotocol/sdk/types.js'
import { z } from 'zod'
import { completions, prompts } from './prompts.ts'
import { resources, type Subscriptions, template } from './resources.ts'
import type { RunningCall } from './running-call.ts'
import type { StockOptions, StockTransport } from './stock-handler.ts'
import { tools } from './tools.ts'

/** The suite's server on SDK 1.x, for one session. */
export function everythingV1(): McpServer {
  const capabilities = { logging: {}, resources: { subscribe: true } }
  const server = new McpServer({ name: 'official-suite', version: '1.0.0' }, { capabilities })
  addTools(server)
  addPrompts(server)
  addResources(server)
  return server
}

/** The same behind the SDK's own transport. */
export async function stockV1(options: StockOptions): Promise<StockTransport> {
  const transport = new StreamableHTTPServerTransport(options)
  // The SDK's own types do not agree with exactOptionalPropertyTypes.
  await everythingV1().connect(transport as Parameters<McpServer['connect']>[0])
  return transport
}

function addTools(server: McpServer): void {
  for (const { name, description, input, run } of tools) {
    server.registerTool(name, { description, inputSchema: input }, async (given, extra) => ({
      content: await run(runningCall(extra), given),
    }))
  }
}

function runningCall(extra: RequestHandlerExtra<ServerRequest, ServerNotification>): RunningCall {
  return {
    log: (data) => extra.sendNotification({ method: 'notifications/message', params: { level: 'info', data } }),
    async progress(progress) {
      const progressToken = extra._meta?.progressToken
      if (progressToken === undefined) return
      await extra.sendNotification({ method: 'notifications/progress', params: { progressToken, progress, total: 100 } })
    },
    async sample(prompt) {
      const messages = [{ role: 'user' as const, content: { type: 'text' as const, text: prompt } }]
      const { content } = await extra.sendRequest(
        { method: 'sampling/createMessage', params: { messages, maxTokens: 100 } },
        CreateMessageResultSchema,
      )
      return content.type === 'text' ? content.text : content.type
    },
    elicit: (message, requestedSchema) =>
      extra.sendRequest({ method: 'elicitation/create', params: { message, requestedSchema } }, ElicitResultSchema),
    closeStream: () => extra.closeSSEStream?.(),
  }
}

function addPrompts(server: McpServer): void {
  for (const prompt of prompts) {
    const argsSchema = Object.fromEntries(
      prompt.arguments.map((argument) => [
        argument.name,
        completable(z.string().describe(argument.description), (typed) => completions(argument, typed)),
      ]),
    )
    server.registerPrompt(prompt.name, { description: prompt.description, argsSchema }, (given) => ({
      messages: prompt.messages(given).map((content) => ({ role: 'user', content })),
    }))
  }
}

function addResources(server: McpServer): void {
  const subscriptions: Subscriptions = new Set()
  for (const { name, uri, description, mimeType, read } of resources) {
    server.registerResource(name, uri, { description, mimeType }, () => ({ contents: [{ uri, mimeType, ...read(subscriptions) }] }))
  }
  const { name, uriTemplate, description, mimeType, read } = template
  server.registerResource(name, new ResourceTemplate(uriTemplate, { list: undefined }), { description, mimeType }, (uri, { id }) => ({
    contents: [{ uri: uri.href, mimeType, ...read(String(id)) }],
  }))
  server.server.setRequestHandler(SubscribeRequestSchema, ({ params }) => {
    subscriptions.add(params.uri)
    return {}
  })
  server.server.setRequestHandler(UnsubscribeRequestSchema, ({ params }) => {
    subscriptions.delete(params.uri)
    return {}
  })
}
