import { Command } from 'commander'
import type { Family } from './contestant.ts'
import { contestants, ownFamilies } from './contestants.ts'
import { curveTables } from './curve-tables.ts'
import { type CurveName, curveNames, curvesOf } from './curves.ts'
import { jobsForMeasures } from './gate-jobs.ts'
import { keepFigures } from './keep-figures.ts'
import { machine } from './machine.ts'
import { listOf, positive } from './option-values.ts'
import { drawn } from './table.ts'
import { watchedRounds } from './watched-rounds.ts'

interface Options {
  readonly backend: readonly Family[]
  readonly curve: readonly CurveName[]
  readonly rounds?: number
  readonly seconds?: number
  readonly seed: number
  readonly quick?: true
  readonly json?: string
  readonly write?: string | true
}

export function curvesCommand(): Command {
  return new Command('curves')
    .description('Throughput against calls in flight, sessions and record size; cleaning against what has expired and what lives.')
    .option('--backend <names>', `of ${ownFamilies.join(', ')}; separated by commas`, listOf(ownFamilies), [...ownFamilies])
    .option('--curve <names>', `of ${curveNames.join(', ')}`, listOf(curveNames), [...curveNames])
    .option('--rounds <n>', 'how often each point is measured (default: 3; quick: 1)', positive)
    .option('--seconds <s>', 'how long each point is measured in each round (default: 0.25; quick: 0.05)', positive)
    .option('--seed <n>', 'of ids and of the mixture', positive, 1)
    .option('--quick', 'fewer points, smaller stores')
    .option('--json <file>', 'write every figure of every run, with machine, versions and date')
    .option('--write [folder]', 'write RESULTS.md and its charts from this run alone')
    .action(run)
}

async function run({ backend, curve, quick, seed, ...options }: Options): Promise<void> {
  const curves = curvesOf(curve, quick === true)
  const ours = contestants.filter(({ family, beside }) => backend.includes(family) && beside === undefined)
  const wanted = ours.flatMap(({ name }) => curves.flatMap(({ points }) => points.map(({ measure }) => ({ who: name, measure }))))
  const seconds = options.seconds ?? (quick === true ? 0.05 : 0.25)
  const jobs = jobsForMeasures(wanted, { seconds, warmUpSeconds: quick === true ? 0.02 : 0.2, seed })
  const found = await watchedRounds(jobs, options.rounds ?? (quick === true ? 1 : 3))
  for (const table of curveTables(curves, found.runs)) console.log(`\n${drawn(table)}`)
  for (const { job, reason, isHere } of found.failures) console.log(`${isHere ? 'FAILED' : 'not run'}: ${job.contestant}: ${reason}`)
  await keepFigures({ machine: await machine(new Date()), ...found, curves }, options)
  if (found.failures.some(({ isHere }) => isHere)) process.exitCode = 1
}
