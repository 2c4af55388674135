import type { Store } from './store.ts'

/** A session's content of a chosen size: the larger, the more leaves, as applications have it. */
export interface SizedContent {
  readonly counter: number
  readonly items: readonly { readonly sku: string; readonly name: string; readonly count: number; readonly price: number }[]
  readonly rest: string
}

/** The n-th content of so many bytes of JSON, at least 100; a new object each time. */
export function contentOfSize(n: number, bytes: number): SizedContent {
  const empty = { counter: n, items: [], rest: '' }
  const item = { sku: `A-${10_000 + (n % 9_000)}`, name: 'notebook with squared paper', count: 2, price: 12.5 }
  const room = bytes - lengthOf(empty)
  const items = Array.from({ length: Math.max(0, Math.floor(room / (lengthOf(item) + 1))) }, () => ({ ...item }))
  return { ...empty, items, rest: 'x'.repeat(Math.max(0, bytes - lengthOf({ ...empty, items }))) }
}

/** The same store, whose sessions are all of that size. */
export function withRecordsOf(store: Store, bytes: number): Store {
  const { createOf } = store
  if (createOf === undefined) throw new TypeError('The records of this store are all of one size')
  return { ...store, create: (n) => createOf(contentOfSize(n, bytes)) }
}

function lengthOf(content: unknown): number {
  return JSON.stringify(content).length
}
