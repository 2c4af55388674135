/** All rows in the order of listings: by serial. */
export interface Roster {
  /** The serial is greater than all before. */
  add(row: number, serial: number): void
  /** Rows that were added with a greater serial, in order; the caller drops those that have another serial now. */
  after(serial: number): Generator<{ readonly row: number; readonly serial: number }>
  /** The row that was added with that serial, or -1. */
  at(serial: number): number
  /** Called with the number of rows that are left, now and then: forgets the others when they are more than half. */
  tidy(live: number, serialOf: (row: number) => number): void
}

export function roster(): Roster {
  let rows: number[] = []
  let serials: number[] = []

  /** Index of the first entry with a greater serial. */
  function indexAfter(serial: number): number {
    let low = 0
    let high = serials.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((serials[middle] ?? 0) <= serial) low = middle + 1
      else high = middle
    }
    return low
  }

  return {
    add(row, serial) {
      rows.push(row)
      serials.push(serial)
    },
    *after(serial) {
      for (let index = indexAfter(serial); index < rows.length; index += 1) {
        yield { row: rows[index] ?? -1, serial: serials[index] ?? 0 }
      }
    },
    at(serial) {
      const index = indexAfter(serial) - 1
      return serials[index] === serial ? (rows[index] ?? -1) : -1
    },
    tidy(live, serialOf) {
      if (rows.length <= 2 * live + 1_024) return
      const kept = rows.map((row, index) => ({ row, serial: serials[index] ?? 0 })).filter(({ row, serial }) => serialOf(row) === serial)
      rows = kept.map(({ row }) => row)
      serials = kept.map(({ serial }) => serial)
    },
  }
}
