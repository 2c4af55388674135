import { flippedBytes, flippedInteger } from './bit-changes.ts'
import type { Change } from './rot-site.ts'

/** A value of a column: text as its bytes. */
export type Cell = bigint | Buffer | null
export type Row = Readonly<Record<string, Cell>>

/** The tables of a store in an SQL database. */
export interface Rows {
  readonly tables: readonly string[]
  /** In the same order each time. */
  all(table: string): Promise<readonly Row[]>
  /** Puts these rows in the place of all others. `false`: the database refuses them, and nothing has changed. */
  replaceAll(table: string, rows: readonly Row[]): Promise<boolean>
}

/** Every bit of every column of every row, every column emptied, and every column exchanged with that of another row. */
export async function rowChanges(rows: Rows): Promise<readonly Change[]> {
  const changes: Change[] = []
  for (const table of rows.tables) {
    const before = await rows.all(table)
    for (const [n, row] of before.entries()) {
      for (const [column, cell] of Object.entries(row)) {
        for (const [what, value] of otherCells(
          cell,
          before.map((one) => one[column] ?? null),
        )) {
          changes.push({
            what: `${what} of ${table}.${column} in row ${n}`,
            make: () => rows.replaceAll(table, before.with(n, { ...row, [column]: value })),
            undo: async () => void (await rows.replaceAll(table, before)),
          })
        }
      }
    }
  }
  return changes
}

function* otherCells(cell: Cell, ofColumn: readonly Cell[]): Generator<readonly [what: string, value: Cell]> {
  if (cell === null) yield ['a value instead of NULL', Buffer.from('x')]
  else yield ['NULL instead of the value', null]
  if (typeof cell === 'bigint') for (const { bit, value } of flippedInteger(cell)) yield [`bit ${bit}`, value]
  if (Buffer.isBuffer(cell)) for (const { bit, bytes } of flippedBytes(cell)) yield [`bit ${bit}`, bytes]
  for (const other of ofColumn) if (!isSame(other, cell)) yield ['the value of another row instead', other]
}

function isSame(one: Cell, other: Cell): boolean {
  return Buffer.isBuffer(one) && Buffer.isBuffer(other) ? one.equals(other) : one === other
}
