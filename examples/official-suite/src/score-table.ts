import Table from 'cli-table3'
import { type Outcome, score } from './outcome.ts'

/** A row for each scenario, a column for each target: checks that passed and failed; `–`: it did not run. */
export function scoreTable(scenarios: readonly string[], outcomes: readonly Outcome[]): string {
  const table = new Table({
    head: ['passed/failed', ...outcomes.map(({ target }) => target)],
    colAligns: ['left', ...outcomes.map(() => 'right' as const)],
    chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
    style: { head: [], border: [], compact: true },
  })
  for (const scenario of scenarios) table.push([scenario, ...outcomes.map(({ checks }) => cell(checks.get(scenario) ?? []))])
  table.push(['total', ...outcomes.map(({ checks }) => cell([...checks.values()].flat()))])
  return table.toString()
}

function cell(checks: Parameters<typeof score>[0]): string {
  if (checks.length === 0) return '–'
  const { passed, failed } = score(checks)
  return `${passed}/${failed}`
}
