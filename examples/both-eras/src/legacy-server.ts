import { McpServer } from '@modelcontextprotocol/server'
import { z } from 'zod'
import { type CartSession, cartOfSession, textOfItems } from './cart.ts'
import { type CheckOutOptions, checkOut, failure, said } from './check-out.ts'
import { registerOrders } from './orders-resource.ts'

/** The server of one session of the revisions up to 2025-11-25: the cart is in the session, so no tool asks for it. */
export function buildLegacyServer(
  options: CheckOutOptions,
  session: CartSession & { readonly id: string; readonly owner: string | null },
): McpServer {
  const server = new McpServer({ name: 'shop', version: '1.0.0' })
  const cart = cartOfSession(session)

  server.registerTool(
    'add_to_cart',
    { description: 'Puts one thing into the cart of this session.', inputSchema: z.object({ item: z.string() }) },
    async ({ item }) => said(textOfItems((await cart.add(item)) ?? {})),
  )
  server.registerTool(
    'check_out',
    { description: 'Asks the user, then buys what is in the cart of this session, which is empty afterwards.' },
    ({ mcpReq }) =>
      checkOut(options, {
        cart,
        request: `check_out ${session.id}`,
        owner: session.owner,
        mcpReq,
        noCart: failure('The session has ended.'),
      }),
  )
  registerOrders(server, options.orders)
  return server
}
