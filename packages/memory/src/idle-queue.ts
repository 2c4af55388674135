import type { Entry } from './entry.ts'
import { type HeapNode, heap } from './heap.ts'

/** An entry under the access and the serial that it had when it was placed: the present ones or earlier ones. */
export interface IdleNode extends HeapNode {
  readonly entry: Entry
  readonly serial: number
  accessedAt: number
}

/** Entries by `lastAccessedAt`. A later access is noticed when the entry comes first, so a touch costs nothing here. */
export interface IdleQueue {
  /** Places an entry that is new, or whose access was rewritten. */
  place(entry: Entry): void
  remove(entry: Entry): void
  /** The entry whose last access is longest ago; among equals the one that was listed first. `undefined`: empty. */
  longestIdle(): Entry | undefined
  clear(): void
}

export function idleQueue(): IdleQueue {
  const order = heap<IdleNode>((a, b) => a.accessedAt < b.accessedAt || (a.accessedAt === b.accessedAt && a.serial < b.serial))

  function place(entry: Entry): void {
    if (entry.idle !== undefined && entry.idle.accessedAt <= entry.lastAccessedAt) return
    remove(entry)
    entry.idle = { entry, serial: entry.serial, accessedAt: entry.lastAccessedAt, place: 0 }
    order.push(entry.idle)
  }

  function remove(entry: Entry): void {
    if (entry.idle === undefined) return
    order.remove(entry.idle)
    entry.idle = undefined
  }

  function longestIdle(): Entry | undefined {
    for (;;) {
      const node = order.first()
      if (node === undefined || node.accessedAt === node.entry.lastAccessedAt) return node?.entry
      order.remove(node)
      node.accessedAt = node.entry.lastAccessedAt
      order.push(node)
    }
  }

  return { place, remove, longestIdle, clear: order.clear }
}
