import { openSessions, SessionError } from '@mcp-session/core'
import type { SessionBackend } from '@mcp-session/core/backend'
import type { Items } from './cart.ts'

/** All orders of the shop, in one record that all processes share. */
export interface Orders {
  readonly uri: string
  /** The number of the new order. */
  add(items: Items): Promise<number>
  count(): Promise<number>
  close(): Promise<void>
}

interface OrderBook {
  readonly sold: readonly Items[]
}

const id = 'orders_shop'

export async function openOrders(backend: SessionBackend): Promise<Orders> {
  const records = await openSessions<OrderBook>({ backend, kind: 'orders' })
  try {
    await records.create({ sold: [] }, { id })
  } catch (error) {
    // It is there: from before, or from another process.
    if (!SessionError.is(error, 'MCP_SESSION_CONFLICT')) throw error
  }
  return {
    uri: 'shop://orders',
    add: async (items) => (await records.update(id, ({ sold }) => ({ sold: [...sold, items] })))?.metadata.sold.length ?? 0,
    count: async () => (await records.retrieve(id))?.metadata.sold.length ?? 0,
    close: () => records.close(),
  }
}
