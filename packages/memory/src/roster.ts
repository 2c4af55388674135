import type { Entry } from './entry.ts'

/** Up to 64 entries with consecutive serials; `undefined` where one has left. */
export interface Block {
  readonly firstSerial: number
  readonly rows: (Entry | undefined)[]
  live: number
}

/**
 * All entries in the order in which they came. A serial names a position that outlives its entry, which a `Map` cannot
 * offer: that is what a cursor needs. Blocks that have become empty are dropped.
 */
export interface Roster {
  /** Appends the entry under a new serial. */
  add(entry: Entry): void
  remove(entry: Entry): void
  /** The entry with that serial; `undefined`: it has left. */
  at(serial: number): Entry | undefined
  /** The entries with greater serials, in order. */
  after(serial: number): IterableIterator<Entry>
  clear(): void
}

/** A lone survivor keeps its whole block: 64 rows are 512 bytes. */
const blockRows = 64

export function roster(): Roster {
  let blocks: Block[] = []
  let nextSerial = 1

  function add(entry: Entry): void {
    entry.serial = nextSerial
    nextSerial += 1
    let block = blocks.at(-1)
    if (block === undefined || block.rows.length === blockRows) {
      block = { firstSerial: entry.serial, rows: [], live: 0 }
      blocks.push(block)
    }
    block.rows.push(entry)
    block.live += 1
    entry.block = block
  }

  function remove(entry: Entry): void {
    const block = entry.block
    if (block === undefined) return
    entry.block = undefined
    block.rows[entry.serial - block.firstSerial] = undefined
    block.live -= 1
    if (block.live === 0) blocks.splice(indexOf(entry.serial), 1)
  }

  function at(serial: number): Entry | undefined {
    const block = blocks[indexOf(serial)]
    return block?.rows[serial - block.firstSerial]
  }

  function* after(serial: number): Generator<Entry> {
    for (let index = Math.max(0, indexOf(serial)); index < blocks.length; index += 1) {
      const block = blocks[index]
      if (block === undefined) return
      for (let row = Math.max(0, serial + 1 - block.firstSerial); row < block.rows.length; row += 1) {
        const entry = block.rows[row]
        if (entry !== undefined) yield entry
      }
    }
  }

  /** Index of the last block that begins at `serial` or before; -1: none. */
  function indexOf(serial: number): number {
    let low = 0
    let high = blocks.length
    while (low < high) {
      const middle = (low + high) >> 1
      const block = blocks[middle]
      if (block !== undefined && block.firstSerial <= serial) low = middle + 1
      else high = middle
    }
    return low - 1
  }

  return {
    add,
    remove,
    at,
    after,
    clear: () => {
      blocks = []
    },
  }
}
