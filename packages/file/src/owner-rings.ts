import { numberColumn } from './columns.ts'

/** The rows of each owner, linked in the order in which they came: leaving costs O(1), and an owner of one session 8 bytes more. */
export interface OwnerRings {
  add(owner: string, row: number): void
  remove(owner: string, row: number): void
  /** -1: none. */
  first(owner: string): number
  /** -1: it is the last one. */
  next(owner: string, row: number): number
}

export function ownerRings(): OwnerRings {
  const firsts = new Map<string, number>()
  const nexts = numberColumn()
  const previous = numberColumn()

  return {
    add(owner, row) {
      const first = firsts.get(owner)
      if (first === undefined) firsts.set(owner, row)
      const last = first === undefined ? row : previous.at(first)
      nexts.set(last, row)
      previous.set(row, last)
      nexts.set(row, first ?? row)
      previous.set(first ?? row, row)
    },
    remove(owner, row) {
      const next = nexts.at(row)
      nexts.set(previous.at(row), next)
      previous.set(next, previous.at(row))
      if (firsts.get(owner) !== row) return
      if (next === row) firsts.delete(owner)
      else firsts.set(owner, next)
    },
    first: (owner) => firsts.get(owner) ?? -1,
    next(owner, row) {
      const next = nexts.at(row)
      return next === firsts.get(owner) ? -1 : next
    },
  }
}
