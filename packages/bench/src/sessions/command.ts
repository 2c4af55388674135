import { Command } from 'commander'
import type { Family } from './contestant.ts'
import { contestantNamed, contestants, ownFamilies } from './contestants.ts'
import { type JobSettings, jobsForGates } from './gate-jobs.ts'
import { gateTable, verdictsCounted } from './gate-table.ts'
import { type Gate, gates } from './gates.ts'
import type { Job } from './job.ts'
import { judge, judgesAny, notAsked, passes } from './judge.ts'
import { keepFigures } from './keep-figures.ts'
import { machine } from './machine.ts'
import { type Op, ops } from './ops.ts'
import { listOf, numbers, positive } from './option-values.ts'
import { jobsOf, type Request } from './plan.ts'
import type { Rounds } from './rounds.ts'
import { drawn } from './table.ts'
import { resultTables } from './tables.ts'
import { watchedRounds } from './watched-rounds.ts'

interface Options {
  readonly backend: readonly Family[]
  readonly peers?: true
  readonly op: readonly Op[]
  readonly inFlight: readonly number[]
  readonly sessions?: number
  readonly rounds?: number
  readonly seconds?: number
  readonly macrotask?: true
  readonly rate?: number
  readonly seed: number
  readonly quick?: true
  readonly check?: true
  readonly profile?: string
  readonly json?: string
  readonly write?: string | true
}

const known = contestants.map(({ name }) => name)

export function sessionsCommand(): Command {
  return (
    new Command('sessions')
      .description('The session API on each backend, beside what people use instead (the default).')
      .option('--backend <names>', `of ${ownFamilies.join(', ')}; separated by commas`, listOf(ownFamilies), [...ownFamilies])
      .option('--peers', 'also measure what each backend is compared with')
      .option('--op <names>', `of ${ops.join(', ')}`, listOf(ops), [...ops])
      .option('--in-flight <numbers>', 'calls at once', numbers, [1, 16, 256])
      .option('--sessions <n>', 'how many there are (default: 10,000; quick: 2,000)', positive)
      .option('--rounds <n>', 'each gives one ratio (default: 5; quick: 2)', positive)
      .option('--seconds <s>', 'how long each figure is measured in each round (default: 0.25; quick: 0.1)', positive)
      .option('--macrotask', 'each request in a turn of the event loop of its own')
      .option('--rate <n>', 'the mixture at so many calls a second, whether they are answered or not', positive)
      .option('--seed <n>', 'of ids and of the mixture', positive, 1)
      .option('--quick', 'fewer sessions, shorter, fewer rounds')
      .option('--check', 'measure what the gates need and judge them; exit code 1 where one falls short, 2 where none could be judged')
      .option('--profile <folder>', 'write a .cpuprofile of each process; its figures are slower for it')
      .option('--json <file>', 'write every figure of every run, with machine, versions and date')
      .option('--write [folder]', 'write RESULTS.md and its charts from this run alone')
      // As the default command it gets what is no command at all.
      .allowExcessArguments()
      .action(async (options: Options, command: Command) => {
        const [unknown] = command.args
        if (unknown !== undefined) command.error(`error: unknown command '${unknown}'`)
        await run(options)
      })
  )
}

async function run(options: Options): Promise<void> {
  const rounds = options.rounds ?? (options.quick === true ? 2 : 5)
  const asked = gates.filter((gate) => isAsked(gate, options))
  const jobs = options.check === true ? jobsForGates(asked, known, settingsOf(options)) : jobsOf(contestants, requestOf(options))
  const found = await watchedRounds(jobs, rounds, options.profile)
  for (const table of resultTables(contestants, found.runs)) console.log(`\n${drawn(table)}`)
  console.log(notes(jobs, found, rounds))
  // Those that were not asked for are named as well: they have not passed.
  const judged = options.check === true ? gates.map((gate) => judge(gate, { ...found, known })) : []
  if (options.check === true) {
    const wanted = judged.filter(({ reason }) => reason !== notAsked)
    console.log(['', ...gateTable(wanted).map(drawn), verdictsCounted(judged)].join('\n'))
  }
  await keepFigures({ machine: await machine(new Date()), ...found, ...(options.check === true ? { gates: judged } : {}) }, options)
  if (options.check === true && !passes(judged)) process.exitCode = 1
  // No verdict on any figure: whoever only warns of one must still see it.
  if (found.failures.some(({ isHere }) => isHere) || (options.check === true && !judgesAny(judged))) process.exitCode = 2
}

/** A quick check leaves out cleaning and opening: stores of 100,000 sessions and more take minutes to fill. */
function isAsked({ who, measure }: Gate, { backend, quick }: Options): boolean {
  const isLong = 'expired' in measure || measure.figure === 'open ms' || measure.figure === 'bytes a dormant session'
  return backend.some((family) => family === contestantNamed(who)?.family) && !(quick === true && isLong)
}

function settingsOf({ quick, seconds, seed }: Options): JobSettings {
  return { seconds: seconds ?? (quick === true ? 0.1 : 0.25), warmUpSeconds: quick === true ? 0.1 : 0.2, seed }
}

function requestOf(options: Options): Request {
  const { backend, peers, sessions, rate, op, inFlight, macrotask, quick } = options
  return {
    ...settingsOf(options),
    families: backend,
    peers: peers === true,
    sessions: sessions ?? (quick === true ? 2_000 : 10_000),
    ...(rate === undefined || options.seconds !== undefined ? {} : { seconds: quick === true ? 1 : 3 }),
    load: rate === undefined ? { kind: 'closed', ops: op, inFlight, macrotask: macrotask === true } : { kind: 'rate', perSecond: rate },
  }
}

/** What a reader of the tables must know. */
function notes(jobs: readonly Job[], { complete, failures }: Rounds, rounds: number): string {
  const names = new Set(jobs.map((job) => job.contestant))
  return [
    '',
    `Medians of ${complete} rounds${complete < rounds ? ` of ${rounds} (stopped)` : ''}. "ours does": how many times as many calls a second, in the same round;`,
    '"by cpu": by the processor time of the calling process alone, which other work on the machine disturbs less.',
    ...contestants
      .filter(({ name }) => names.has(name))
      .map(({ name, beside, note }) => `${name}: ${note}${beside === undefined ? '' : ` (beside ${beside})`}`),
    ...failures.map(({ job, reason, isHere }) => `${isHere ? 'FAILED' : 'not run'}: ${job.contestant}: ${reason}`),
  ].join('\n')
}
