import { type Measure, readings } from '../sessions/measures.ts'
import type { Op } from '../sessions/ops.ts'
import type { Run } from '../sessions/rounds.ts'
import { type Table, tableOf } from '../sessions/table.ts'
import { count, short } from '../sessions/tables.ts'
import { medianOf } from '../spread.ts'
import { type OriginalRow, originalRows } from './original.ts'

const compared = ['retrieve', 'mixed', 'update'] as const satisfies readonly Op[]

/** The original's table with ours beside it; a row of ours that was not measured says so. */
export function originalTable(runs: readonly Run[]): Table[] {
  const head = ['original', 'it says', 'ours', ...compared.map((op) => `${op}/s`), 'p95 µs, one caller', 'reached', 'a word']
  const rows = originalRows.flatMap((row) => row.ours.map((who) => ourRow(row, who, runs)))
  return tableOf("the original's table", head, rows)
}

function ourRow(original: OriginalRow, who: string, runs: readonly Run[]): string[] {
  const { name, perSecond, p95Us } = original
  const theirs = [name, `${count(perSecond)}/s, p95 < ${count(p95Us)} µs`]
  const best = compared.map((op) => fastest(who, op, runs))
  const p95 = median(runs, who, { figure: 'p95 µs', op: 'mixed', inFlight: 1 })
  if (best.every((one) => one === undefined)) return [...theirs, who, ...compared.map(() => ''), '', 'not measured', '']
  const reaching = compared.filter((_, place) => (best[place]?.speed ?? 0) >= perSecond)
  const all = reaching.length === compared.length && p95 !== undefined && p95 < p95Us
  return [
    ...theirs,
    who,
    ...best.map((one) => (one === undefined ? '' : `${count(one.speed)} (${one.inFlight} in flight)`)),
    p95 === undefined ? '' : short(p95),
    `${reaching.length === 0 ? '**not the throughput**' : reaching.join(', ')}; ${latencyTold(p95, p95Us)}`,
    all ? '' : original.word,
  ]
}

function latencyTold(p95: number | undefined, bound: number): string {
  if (p95 === undefined) return 'latency not measured'
  return p95 < bound ? 'latency' : '**not the latency**'
}

interface Fastest {
  readonly speed: number
  readonly inFlight: number
}

/** With as many in flight as suits it best. */
function fastest(who: string, op: Op, runs: readonly Run[]): Fastest | undefined {
  const all = new Set(runs.flatMap(({ job: { load } }) => (load.kind === 'closed' ? load.cells.map((cell) => cell.inFlight) : [])))
  return [...all]
    .flatMap((inFlight) => {
      const speed = median(runs, who, { figure: 'ops/s', op, inFlight })
      return speed === undefined ? [] : [{ speed, inFlight }]
    })
    .toSorted((a, b) => b.speed - a.speed)[0]
}

type ClosedMeasure = Omit<Extract<Measure, { readonly op: unknown }>, 'sessions'>

/** With the least number of sessions that it was measured with. */
function median(runs: readonly Run[], who: string, measure: ClosedMeasure): number | undefined {
  const sizes = [...new Set(runs.map(({ job }) => job.sessions))].toSorted((a, b) => a - b)
  for (const sessions of sizes) {
    const values = [...readings(runs, who, { ...measure, sessions }).values()]
    if (values.length > 0) return medianOf(values)
  }
  return undefined
}
