import type { SessionBackend } from '@mcp-session/core/backend'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { createMcpHandler, type McpHttpHandler, type McpServerFactory } from '@modelcontextprotocol/server'
import { onTestFinished } from 'vitest'
import { createEventBus, type EventBusOptions } from '../src/event-bus.ts'
import { listen } from './listening.ts'
import { sendResponse, webRequest } from './web-standard.ts'

export interface ModernNode {
  readonly url: URL
  readonly handler: McpHttpHandler
}

/** One process of a cluster that serves revision 2026-07-28 alone, played by the SDK's handler with its own server. */
export async function startModernNode(
  backend: SessionBackend,
  factory: McpServerFactory,
  options: EventBusOptions = {},
): Promise<ModernNode> {
  const bus = await createEventBus(backend, { cleanupIntervalMs: 0, ...options })
  const handler = createMcpHandler(factory, { legacy: 'reject', bus })
  const listening = await listen(async (req, res) => {
    const request = await webRequest(req)
    // Who asks is for a verifier of tokens to say; here the token is the name.
    const token = request.headers.get('authorization')?.replace('Bearer ', '')
    const authInfo = token === undefined ? {} : { authInfo: { token, clientId: token, scopes: [] } }
    await sendResponse(res, await handler.fetch(request, authInfo))
  })
  onTestFinished(async () => {
    await handler.close()
    await bus.close()
    await listening.close()
  })
  return { url: listening.url, handler }
}

/** A stock client of SDK v2 that speaks revision 2026-07-28 and nothing else. */
export async function connectModern(url: URL, name = 'nobody'): Promise<Client> {
  const client = new Client(
    { name, version: '1' },
    { versionNegotiation: { mode: { pin: '2026-07-28' } }, capabilities: { elicitation: { form: {} } } },
  )
  await client.connect(new StreamableHTTPClientTransport(url, { requestInit: { headers: { authorization: `Bearer ${name}` } } }))
  onTestFinished(() => client.close())
  return client
}
