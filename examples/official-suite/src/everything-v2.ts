import { NodeStreamableHTTPServerTransport } from '@modelcontextprotocol/node'
import { completable, McpServer, ResourceTemplate, type ServerContext } from '@modelcontextprotocol/server'
import { z } from 'zod'
import { completions, prompts } from './prompts.ts'
import { resources, type Subscriptions, template } from './resources.ts'
import type { RunningCall } from './running-call.ts'
import type { StockOptions, StockTransport } from './stock-handler.ts'
import { tools } from './tools.ts'

/** The suite's server on SDK 2.x, for one session. */
export function everythingV2(): McpServer {
  const capabilities = { logging: {}, resources: { subscribe: true } }
  const server = new McpServer({ name: 'official-suite', version: '1.0.0' }, { capabilities })
  addTools(server)
  addPrompts(server)
  addResources(server)
  return server
}

/** The same behind the SDK's own transport. */
export async function stockV2(options: StockOptions): Promise<StockTransport> {
  const transport = new NodeStreamableHTTPServerTransport(options)
  await everythingV2().connect(transport)
  return transport
}

function addTools(server: McpServer): void {
  for (const { name, description, input, run } of tools) {
    server.registerTool(name, { description, inputSchema: input }, async (given, context) => ({
      content: await run(runningCall(context), given),
    }))
  }
}

function runningCall({ mcpReq, http }: ServerContext): RunningCall {
  return {
    log: (message) => mcpReq.log('info', message),
    async progress(progress) {
      const progressToken = mcpReq._meta?.progressToken
      if (progressToken === undefined) return
      await mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress, total: 100 } })
    },
    async sample(prompt) {
      const { content } = await mcpReq.requestSampling({
        messages: [{ role: 'user', content: { type: 'text', text: prompt } }],
        maxTokens: 100,
      })
      return [content]
        .flat()
        .map((part) => (part.type === 'text' ? part.text : part.type))
        .join()
    },
    elicit: (message, requestedSchema) => mcpReq.elicitInput({ message, requestedSchema }),
    closeStream: () => http?.closeSSE?.(),
  }
}

function addPrompts(server: McpServer): void {
  for (const prompt of prompts) {
    const argsSchema = z.object(
      Object.fromEntries(
        prompt.arguments.map((argument) => [
          argument.name,
          completable(z.string().describe(argument.description), (typed) => completions(argument, typed)),
        ]),
      ),
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
  server.server.setRequestHandler('resources/subscribe', ({ params }) => {
    subscriptions.add(params.uri)
    return {}
  })
  server.server.setRequestHandler('resources/unsubscribe', ({ params }) => {
    subscriptions.delete(params.uri)
    return {}
  })
}
