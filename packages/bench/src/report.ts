import Table from 'cli-table3'
import { type Figure, holds } from './figure.ts'

/** What a benchmark has found. */
export interface Report {
  readonly title: string
  /** Such as the machine's own speed. */
  readonly notes: readonly string[]
  readonly figures: readonly Figure[]
}

/** As a person reads it. */
export function tableText({ title, notes, figures }: Report): string {
  const table = new Table({
    head: ['what', 'who', 'median', 'min – max', 'bar', 'holds'],
    style: { head: [], border: [] },
    // No line between the rows.
    chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
    colAligns: ['left', 'left', 'right', 'right', 'right', 'left'],
  })
  for (const figure of figures) {
    const { what, who, unit, median, min, max, bar } = figure
    const verdict = bar === undefined ? '' : holds(figure) ? 'yes' : 'NO'
    table.push([
      what,
      who,
      show(median, unit),
      `${show(min, unit)} – ${show(max, unit)}`,
      bar === undefined ? '' : show(bar, unit),
      verdict,
    ])
  }
  return [title, table.toString(), ...notes].join('\n')
}

/** As a program reads it: one line. */
export function jsonText({ title, notes, figures }: Report): string {
  return JSON.stringify({
    title,
    notes,
    figures: figures.map((figure) => ({ ...figure, ...(figure.bar === undefined ? {} : { holds: holds(figure) }) })),
  })
}

function show(value: number, unit: Figure['unit']): string {
  return `${value.toFixed(2)} ${unit === 'times' ? '×' : unit}`
}
