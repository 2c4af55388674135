import { openSessions } from '@mcp-session/core'
import { type AuthInfo, createEventBus, createRequestStates, createSessionHandler } from '@mcp-session/http'
import { memoryBackend } from '@mcp-session/memory' // or any other
import { createMcpHandler, isLegacyRequest, McpServer } from '@modelcontextprotocol/server'
import { z } from 'zod'

const backend = memoryBackend()
const carts = await openSessions<{ items: string[] }>({ backend, kind: 'cart', ttlMs: 30 * 60_000 }) // handles: cart_…
const states = await createRequestStates(backend)
const bus = await createEventBus(backend)
const text = (value: string) => ({ content: [{ type: 'text' as const, text: value }] })

const legacy = await createSessionHandler({
  backend,
  principal: ({ authInfo }) => authInfo && [authInfo.clientId],
  server: () => new McpServer({ name: 'shop', version: '1.0.0' }), // with the cart in the session
})

async function buildServer(owner: string | null) {
  const server = new McpServer({ name: 'shop', version: '1.0.0' }, { requestState: states.serverOption({ owner }) })
  const description = 'Makes a cart and returns its handle. A cart lives for 30 minutes after its last use; only you can use it.'
  server.registerTool('create_cart', { description }, async () => text((await carts.create({ items: [] }, { owner })).id))
  server.registerTool('add_to_cart', { inputSchema: z.object({ cart: z.string(), item: z.string() }) }, async ({ cart, item }) => {
    const updated = await carts.update(cart, ({ items }) => ({ items: [...items, item] }), { owner })
    if (updated === undefined)
      return { ...text('No such cart: unknown, not yours, or expired. Call create_cart for a new one.'), isError: true }
    bus.publish({ kind: 'resource_updated', uri: 'shop://carts' })
    return text(updated.metadata.items.join(', '))
  })
  return server
}

const modern = createMcpHandler(async ({ authInfo }) => buildServer(await legacy.ownerOf(authInfo)), { legacy: 'reject', bus })

/** Behind your check of hosts and tokens, and for node:http behind `toNodeHandler` of @modelcontextprotocol/node. */
export async function answer(request: Request, authInfo: AuthInfo): Promise<Response> {
  return (await isLegacyRequest(request)) ? legacy.fetch(request, { authInfo }) : modern.fetch(request, { authInfo })
}

export async function close(): Promise<void> {
  await modern.close()
  await legacy.close()
  await Promise.all([bus.close(), states.close(), carts.close()])
}
