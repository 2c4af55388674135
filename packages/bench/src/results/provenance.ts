import { contestantNamed } from '../sessions/contestants.ts'
import type { Figures } from '../sessions/figures-file.ts'
import { markdownTable } from './markdown.ts'

/** When, where and with what the figures were taken. */
export function provenance(all: readonly Figures[]): string[] {
  const rows = all.map(({ machine, runs, complete }) => [
    machine.date.slice(0, 16).replace('T', ' '),
    [...new Set(runs.map(({ job }) => contestantNamed(job.contestant)?.family ?? job.contestant))].join(', '),
    String(complete),
    `${machine.cores} × ${machine.processor}`,
    `${machine.memoryGb} GB`,
    machine.system,
    machine.node,
  ])
  const head = ['taken at (UTC)', 'of', 'complete rounds', 'processor', 'memory', 'system', 'Node']
  return [markdownTable({ head, rows }), `With ${versionsOf(all)}.`]
}

/** Each package with its versions: more than one where runs differ. */
function versionsOf(all: readonly Figures[]): string {
  const versions = new Map<string, Set<string>>()
  for (const { machine } of all) {
    for (const [name, version] of Object.entries(machine.versions)) versions.set(name, (versions.get(name) ?? new Set()).add(version))
  }
  return [...versions].map(([name, found]) => `${name} ${[...found].join(' and ')}`).join(', ')
}
