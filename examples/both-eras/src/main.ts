import { once } from 'node:events'
import { createServer } from 'node:http'
import { openSessions } from '@mcp-session/core'
import { createEventBus, createRequestStates, createSessionHandler } from '@mcp-session/http'
import { sqliteBackend } from '@mcp-session/sqlite'
import { type NodeIncomingMessageLike, toNodeHandler } from '@modelcontextprotocol/node'
import {
  createMcpHandler,
  hostHeaderValidationResponse,
  isLegacyRequest,
  localhostAllowedHostnames,
  localhostAllowedOrigins,
  originValidationResponse,
  requireBearerAuth,
} from '@modelcontextprotocol/server'
import { z } from 'zod'
import { verifier } from './bearer.ts'
import type { CartData, Items } from './cart.ts'
import { buildLegacyServer } from './legacy-server.ts'
import { buildModernServer } from './modern-server.ts'
import { optionsOf } from './options.ts'
import { openOrders } from './orders.ts'

const { store, port, cartTtlMs } = optionsOf(process.argv.slice(2))
// One backend: sessions, carts, questions, orders and change events are kinds of records in it.
const backend = sqliteBackend({ path: store })
const carts = await openSessions<CartData>({ backend, kind: 'cart', ttlMs: cartTtlMs, maxLifetimeMs: 24 * 60 * 60_000 })
const states = await createRequestStates<Items>(backend)
const bus = await createEventBus(backend)
const orders = await openOrders(backend)
const shop = { carts, cartTtlMs, states, bus, orders }

const legacy = await createSessionHandler({
  backend,
  schema: z.object({ items: z.record(z.string(), z.number()).default({}) }),
  principal: ({ authInfo }) => authInfo && [authInfo.extra?.['iss'], authInfo.extra?.['sub'], authInfo.clientId],
  server: ({ session }) => buildLegacyServer(shop, session),
})
const modern = createMcpHandler(async ({ authInfo }) => buildModernServer(shop, await legacy.ownerOf(authInfo)), { legacy: 'reject', bus })
const authenticate = requireBearerAuth({ verifier })

async function answer(request: Request): Promise<Response> {
  // The session handler looks at these itself; the SDK's modern handler leaves it to whoever mounts it.
  const foreign =
    hostHeaderValidationResponse(request, localhostAllowedHostnames()) ?? originValidationResponse(request, localhostAllowedOrigins())
  if (foreign !== undefined) return foreign
  const authInfo = await authenticate(request)
  if (authInfo instanceof Response) return authInfo
  return (await isLegacyRequest(request)) ? legacy.fetch(request, { authInfo }) : modern.fetch(request, { authInfo })
}

const mcp = toNodeHandler({ fetch: answer })
const http = createServer((incoming, outgoing) => {
  if (incoming.url?.split('?')[0] === '/mcp') void mcp(incoming as NodeIncomingMessageLike, outgoing)
  else outgoing.writeHead(404).end()
})
http.listen(port, '127.0.0.1')
await once(http, 'listening')
const address = http.address()
console.log(`listening on http://127.0.0.1:${typeof address === 'object' ? address?.port : port}/mcp`)

process.once('SIGTERM', async () => {
  http.close()
  await modern.close()
  await legacy.close()
  await Promise.all([bus.close(), states.close(), carts.close(), orders.close()])
  // A stream that ended just now leaves its connection open for a next request.
  setImmediate(() => http.closeIdleConnections())
  // A client that does not read its stream, or has connected and never asked, must not keep the process.
  setTimeout(() => http.closeAllConnections(), 1_000).unref()
})
