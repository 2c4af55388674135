import type { Gate } from './gates.ts'
import type { Judged } from './judge.ts'
import type { Measure } from './measures.ts'
import { type Table, tableOf } from './table.ts'
import { range, short } from './tables.ts'

/** A row for each gate, with what was measured. */
export function gateTable(judged: readonly Judged[]): Table[] {
  const head = ['who', 'what', 'beside', 'bar', 'stretch', 'median', 'min – max', 'verdict']
  const rows = judged.map(({ gate, verdict, spread, reason }) => [
    gate.who,
    told(gate.measure),
    besideTold(gate),
    'atLeast' in gate.bar ? `≥ ${short(gate.bar.atLeast)}` : `≤ ${short(gate.bar.atMost)}`,
    gate.stretch === undefined ? '' : short(gate.stretch),
    spread === undefined ? '' : short(spread.median),
    spread === undefined ? '' : range(spread, short),
    reason === undefined ? verdict : `${verdict}: ${reason}`,
  ])
  return tableOf('gates', head, rows)
}

/** How many of all there are came out how. */
export function verdictsCounted(judged: readonly Judged[]): string {
  return ['holds', 'within the noise', 'falls short', 'not run']
    .map((verdict) => `${judged.filter((one) => one.verdict === verdict).length} ${verdict}`)
    .join(', ')
}

function told(measure: Measure): string {
  const sessions = `${short(measure.sessions)} sessions`
  if ('op' in measure) return `${measure.op} ${measure.figure}, ${measure.inFlight} in flight, ${sessions}`
  if ('perSecond' in measure) return `${measure.figure} at ${short(measure.perSecond)}/s, ${sessions}`
  if ('expired' in measure) return `${measure.figure}, ${short(measure.expired)} expired, ${sessions}`
  return `${measure.figure}, ${sessions}`
}

function besideTold({ beside }: Gate): string {
  if (beside === undefined) return ''
  const how = beside.by === 'ratio' ? '' : 'more than '
  return `${how}${beside.who}${beside.inFlight === undefined ? '' : ` (${beside.inFlight} in flight)`}`
}
