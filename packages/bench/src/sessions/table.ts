import Drawn from 'cli-table3'

/** Figures in rows; of each row the first cell says whose they are. */
export interface Table {
  readonly title: string
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

/** Nothing where nothing was measured. */
export function tableOf(title: string, head: readonly string[], rows: readonly (readonly string[])[]): Table[] {
  return rows.length === 0 ? [] : [{ title, head, rows }]
}

/** As it is read in a terminal. */
export function drawn({ title, head, rows }: Table): string {
  const table = new Drawn({
    head: [...head],
    style: { head: [], border: [] },
    // No line between the rows.
    chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
    colAligns: head.map((_, column) => (column === 0 ? 'left' : 'right')),
  })
  for (const row of rows) table.push([...row])
  return `${title}\n${table.toString()}`
}
