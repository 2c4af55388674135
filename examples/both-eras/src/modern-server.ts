import type { Sessions } from '@mcp-session/core'
import { McpServer } from '@modelcontextprotocol/server'
import { z } from 'zod'
import { type CartData, cartOfHandle, textOfItems } from './cart.ts'
import { type CheckOutOptions, checkOut, failure, said } from './check-out.ts'
import { registerOrders } from './orders-resource.ts'

export interface ModernOptions extends CheckOutOptions {
  readonly carts: Sessions<CartData>
  readonly cartTtlMs: number
}

/** One text for carts that never were, are somebody else's, were bought and have expired: it tells a stranger nothing, and a model what to do. */
const noCart = failure(
  'There is no such cart: it was never made, is not yours, was checked out, or has expired. Call create_cart for a new one, and give the handle that it returns.',
)

/** A server of revision 2026-07-28, made for one request: what has to stay is behind a handle that the model passes. */
export function buildModernServer(options: ModernOptions, owner: string | null): McpServer {
  const { carts, cartTtlMs } = options
  const server = new McpServer({ name: 'shop', version: '1.0.0' }, { capabilities: { resources: { subscribe: true } } })
  const handle = z.string().describe('The handle that create_cart returned')

  server.registerTool(
    'create_cart',
    {
      description:
        `Makes an empty cart and returns its handle, to be given to the other tools. A cart lives for ${cartTtlMs / 60_000} minutes after its ` +
        'last use, at most a day, and until it is checked out. Only you can use it.',
      outputSchema: z.object({ cart: z.string() }),
    },
    async () => {
      const { id: cart } = await carts.create({ items: {} }, { owner })
      return { ...said(cart), structuredContent: { cart } }
    },
  )
  server.registerTool(
    'add_to_cart',
    { description: 'Puts one thing into a cart.', inputSchema: z.object({ cart: handle, item: z.string() }) },
    async ({ cart, item }) => {
      const items = await cartOfHandle(carts, cart, owner).add(item)
      return items === undefined ? noCart : said(textOfItems(items))
    },
  )
  server.registerTool(
    'check_out',
    { description: 'Asks the user, then buys what is in a cart. The cart is gone afterwards.', inputSchema: z.object({ cart: handle }) },
    ({ cart }, { mcpReq }) =>
      checkOut(options, { cart: cartOfHandle(carts, cart, owner), request: `check_out ${cart}`, owner, mcpReq, noCart }),
  )
  registerOrders(server, options.orders)
  return server
}
