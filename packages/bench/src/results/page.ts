import type { Family } from '../sessions/contestant.ts'
import { contestants, ownFamilies } from '../sessions/contestants.ts'
import { curveTables, curveTitle } from '../sessions/curve-tables.ts'
import type { Curve } from '../sessions/curves.ts'
import { type Figures, merged } from '../sessions/figures-file.ts'
import { gateTable, verdictsCounted } from '../sessions/gate-table.ts'
import { gates } from '../sessions/gates.ts'
import { type Judged, judge, passes } from '../sessions/judge.ts'
import type { Failure, Rounds } from '../sessions/rounds.ts'
import { resultTables } from '../sessions/tables.ts'
import { curveChart, curvesIn } from './curve-charts.ts'
import { markdownTable, withNotes } from './markdown.ts'
import { notKept } from './not-kept.ts'
import { originalTable } from './original-table.ts'
import { overview } from './overview.ts'
import { provenance } from './provenance.ts'
import type { Drawing } from './svg.ts'

/** What a person looks at. */
export interface Page {
  readonly text: string
  /** By the names under which the text shows them. */
  readonly charts: ReadonlyMap<string, Drawing>
}

const known = contestants.map(({ name }) => name)

/** Of any number of runs, such as one for each backend. */
export function pageOf(all: readonly Figures[]): Page {
  const found = merged(all.filter(({ curves }) => curves === undefined))
  const drawn = merged(all.filter(({ curves }) => curves !== undefined))
  const judged = gates.map((gate) => judge(gate, { ...found, known }))
  const charts = new Map<string, Drawing>()
  const text = [
    '# Results',
    'Written by `bench results` from what runs of `bench` left behind; [README.md](README.md) says how it is measured. A ratio is of two runs of ' +
      'the same round; shown are the median of the rounds, and the least and the greatest.',
    ...provenance(all),
    ...gatesPart(judged),
    ...originalPart(found),
    ...ownFamilies.flatMap((family) => familyPart(family, found, charts)),
    ...curvesPart(curvesIn(all), drawn, charts),
    ...notKeptPart(),
    ...failuresPart([...found.failures, ...drawn.failures]),
  ]
  return { text: `${text.join('\n\n')}\n`, charts }
}

function gatesPart(judged: readonly Judged[]): string[] {
  const marked = gateTable(judged).map((table) => ({ ...table, rows: table.rows.map(markedRow) }))
  const end = passes(judged) ? '' : ' **The check fails.**'
  return ['## Gates', `${verdictsCounted(judged)}.${end} A gate that was not run has not passed.`, ...marked.map(markdownTable)]
}

/** The verdict is the last cell. */
function markedRow(row: readonly string[]): string[] {
  return row.map((cell, column) => (column === row.length - 1 && cell.startsWith('falls short') ? `❌ **${cell}**` : cell))
}

function originalPart({ runs }: Rounds): string[] {
  const word =
    'The document that this project re-creates gives these figures for its backends; it says of them that they were "designed but not ' +
    'integrated", and nobody had measured them. Ours is the whole session API with records of a kilobyte, at the number in flight that suits it best.'
  return ["## The original's table", word, ...originalTable(runs).map(markdownTable)]
}

function familyPart(family: Family, { runs }: Rounds, charts: Map<string, Drawing>): string[] {
  const entered = contestants.filter((contestant) => contestant.family === family)
  const harness = contestants.filter((contestant) => contestant.family === 'harness')
  const tables = resultTables([...harness, ...entered], runs)
  if (tables.length === 0) return []
  const picture = overview(family, entered, runs)
  const shown = picture === undefined ? [] : [shownChart(charts, family, picture, `${family} beside its peers`)]
  return [`## ${family}`, ...shown, ...tables.flatMap((table) => [`### ${table.title}`, markdownTable(withNotes(table))])]
}

function curvesPart(curves: readonly Curve[], { runs }: Rounds, charts: Map<string, Drawing>): string[] {
  const parts = curves.flatMap((curve) => {
    const picture = curveChart(curve, runs)
    const name = curve.op === undefined ? curve.name : `${curve.name}-${curve.op}`
    const shown = picture === undefined ? [] : [shownChart(charts, name, picture, curveTitle(curve))]
    const tables = curveTables([curve], runs).map(markdownTable)
    return tables.length === 0 ? [] : [`### ${curveTitle(curve)}`, ...shown, ...tables]
  })
  return parts.length === 0 ? [] : ['## Curves', ...parts]
}

function shownChart(charts: Map<string, Drawing>, name: string, picture: Drawing, what: string): string {
  charts.set(`${name}.svg`, picture)
  return `![${what}](charts/${name}.svg)`
}

function notKeptPart(): string[] {
  const rows = notKept.map(({ where, tried, found }) => [where, tried, found])
  return ['## Tried and not kept', markdownTable({ head: ['where', 'tried', 'found'], rows })]
}

function failuresPart(failures: readonly Failure[]): string[] {
  if (failures.length === 0) return []
  const rows = failures.map(({ job, reason, isHere }) => [job.contestant, isHere ? '**failed**' : 'not here', reason.split('\n')[0] ?? ''])
  return ['## Not measured', markdownTable({ head: ['who', 'what', 'why'], rows })]
}
