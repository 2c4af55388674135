import { readFile, writeFile } from 'node:fs/promises'
import type { Curve } from './curves.ts'
import type { Judged } from './judge.ts'
import type { Machine } from './machine.ts'
import type { Rounds } from './rounds.ts'

/** What a run of the command leaves behind: every figure of every process, and what they are worth nothing without. */
export interface Figures extends Rounds {
  readonly machine: Machine
  /** As they were judged then; absent: nobody asked for it. */
  readonly gates?: readonly Judged[]
  /** What its figures are points of; absent: they stand beside those of peers. */
  readonly curves?: readonly Curve[]
}

export async function writeFigures(path: string, figures: Figures): Promise<void> {
  await writeFile(path, `${JSON.stringify(figures, undefined, 2)}\n`)
}

/** Rejects what no run of the command has written. */
export async function readFigures(path: string): Promise<Figures> {
  const found: unknown = JSON.parse(await readFile(path, 'utf8'))
  if (!isFigures(found)) throw new TypeError(`${path} holds no figures: it was not written by --json`)
  return found
}

function isFigures(found: unknown): found is Figures {
  return typeof found === 'object' && found !== null && 'machine' in found && 'runs' in found && Array.isArray(found.runs)
}

/** As if all had been one run. What is compared is compared within one of them: no two of them share a round. */
export function merged(all: readonly Rounds[]): Rounds {
  let begun = 0
  const shifted = all.map(({ runs, failures }) => {
    const first = begun
    begun = first + 1 + Math.max(-1, ...[...runs, ...failures].map(({ round }) => round))
    const later = <T extends { readonly round: number }>(one: T): T => ({ ...one, round: one.round + first })
    return { runs: runs.map(later), failures: failures.map(later) }
  })
  return {
    runs: shifted.flatMap(({ runs }) => runs),
    failures: shifted.flatMap(({ failures }) => failures),
    complete: all.reduce((sum, { complete }) => sum + complete, 0),
  }
}
