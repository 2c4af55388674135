import { contestantNamed } from '../sessions/contestants.ts'
import type { Table } from '../sessions/table.ts'

/** As a page shows it, without its title. */
export function markdownTable({ head, rows }: Omit<Table, 'title'>): string {
  const row = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`
  const rule = head.map((_, column) => (rows.every((cells) => isFigure(cells[column] ?? '')) ? '---:' : '---'))
  return [row(head), row(rule), ...rows.map(row)].join('\n')
}

/** Such as `1,234`, `≥ 2.5`, `1.2 – 3` or `4 ×`; or nothing. */
function isFigure(cell: string): boolean {
  return /^[\d\s.,–×≥≤-]*$/.test(cell)
}

/** With what each contestant's acknowledged writes survive, and what else a reader must know of it. */
export function withNotes({ title, head, rows }: Table): Table {
  return { title, head: [...head, 'what it is'], rows: rows.map((row) => [...row, contestantNamed(row[0] ?? '')?.note ?? '']) }
}
