import type { Entry } from './entry.ts'

/** The entries of each owner, chained in the order of their serials. Unowned entries are not in it. */
export interface OwnerIndex {
  /** Appends an entry that has the newest serial. */
  add(entry: Entry): void
  remove(entry: Entry): void
  /** The owner's first entry; the others follow by `ownerNext`. */
  first(owner: string): Entry | undefined
  clear(): void
}

interface Chain {
  first: Entry
  last: Entry
}

export function ownerIndex(): OwnerIndex {
  const chains = new Map<string, Chain>()

  function add(entry: Entry): void {
    if (entry.owner === null) return
    const chain = chains.get(entry.owner)
    if (chain === undefined) {
      chains.set(entry.owner, { first: entry, last: entry })
      return
    }
    entry.ownerPrevious = chain.last
    chain.last.ownerNext = entry
    chain.last = entry
  }

  function remove(entry: Entry): void {
    if (entry.owner === null) return
    const { ownerPrevious: previous, ownerNext: next } = entry
    const chain = chains.get(entry.owner)
    if (chain === undefined) return
    if (previous !== undefined) previous.ownerNext = next
    else if (next !== undefined) chain.first = next
    else chains.delete(entry.owner)
    if (next !== undefined) next.ownerPrevious = previous
    else if (previous !== undefined) chain.last = previous
    entry.ownerPrevious = undefined
    entry.ownerNext = undefined
  }

  return { add, remove, first: (owner) => chains.get(owner)?.first, clear: () => chains.clear() }
}
