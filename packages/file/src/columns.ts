/** A column of numbers that grows without ever being copied: copying a million of them would stall the event loop. */
export interface NumberColumn {
  at(row: number): number
  set(row: number, value: number): void
}

const pageBits = 13
const pageRows = 2 ** pageBits

export function numberColumn(): NumberColumn {
  const pages: Float64Array[] = []
  return {
    at: (row) => pages[row >> pageBits]?.[row & (pageRows - 1)] ?? 0,
    set(row, value) {
      const index = row >> pageBits
      while (pages.length <= index) pages.push(new Float64Array(pageRows))
      const page = pages[index]
      if (page !== undefined) page[row & (pageRows - 1)] = value
    },
  }
}
