import type { Sessions } from '@mcp-session/core'

/** What is in a cart: how many of each thing. */
export type Items = Readonly<Record<string, number>>

export interface CartData {
  readonly items: Items
}

/** One cart, wherever it is kept. `undefined`: there is none. */
export interface Cart {
  read(): Promise<Items | undefined>
  add(item: string): Promise<Items | undefined>
  /** Empties it; of several callers one gets what was in it. */
  take(): Promise<Items | undefined>
}

/** The cart that a handle of the modern era names, if it is this owner's. It goes when it is taken. */
export function cartOfHandle(carts: Sessions<CartData>, handle: string, owner: string | null): Cart {
  return {
    read: async () => (await carts.retrieve(handle, { owner }))?.metadata.items,
    add: async (item) => (await carts.update(handle, ({ items }) => ({ items: withOne(items, item) }), { owner }))?.metadata.items,
    take: async () => (await carts.consume(handle, { owner }))?.metadata.items,
  }
}

/** The part of a session that holds a cart. */
export interface CartSession {
  refresh(): Promise<CartData>
  update(change: (data: CartData) => CartData): Promise<CartData>
}

/** The one cart of a session of the legacy era: it needs no name. */
export function cartOfSession(session: CartSession): Cart {
  return {
    read: async () => (await session.refresh()).items,
    add: async (item) => (await session.update(({ items }) => ({ items: withOne(items, item) }))).items,
    async take() {
      let taken: Items | undefined
      await session.update(({ items }) => {
        taken = items
        return { items: {} }
      })
      return taken
    },
  }
}

export function textOfItems(items: Items): string {
  const parts = Object.entries(items).map(([item, count]) => `${count} × ${item}`)
  return parts.length === 0 ? 'nothing' : parts.join(', ')
}

function withOne(items: Items, item: string): Items {
  return { ...items, [item]: (items[item] ?? 0) + 1 }
}
