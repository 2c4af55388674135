/** Random choices that a seed repeats. */
export interface Random {
  /** 0 or more, less than `below`. */
  integer(below: number): number
  pick<T>(items: readonly T[]): T
  /** Lower-case hexadecimal digits. */
  hex(length: number): string
  shuffle<T>(items: readonly T[]): T[]
}

/** A xorshift generator (Marsaglia 2003): 32 bits of state are plenty to choose test data. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0 || 1

  function next(): number {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    state >>>= 0
    return state / 2 ** 32
  }

  for (let warm = 0; warm < 8; warm += 1) next()

  const integer = (below: number): number => Math.floor(next() * below)

  return {
    integer,
    pick(items) {
      const item = items[integer(items.length)]
      if (item === undefined) throw new RangeError('nothing to pick from')
      return item
    },
    hex: (length) => Array.from({ length }, () => integer(16).toString(16)).join(''),
    shuffle(items) {
      return items
        .map((item) => ({ item, at: next() }))
        .sort((a, b) => a.at - b.at)
        .map(({ item }) => item)
    },
  }
}

/** A seed of its own for everything that has a name, so that one case alone is given the numbers that it had among all. */
export function seedFor(seed: number, name: string): number {
  let hash = 0x811c9dc5 ^ seed
  for (const char of name) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193)
  return hash >>> 0
}
