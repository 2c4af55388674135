import { writeFile } from 'node:fs/promises'
import { SingleBar } from 'cli-progress'
import { Command, InvalidArgumentError } from 'commander'
import { bundle } from '../bundle.ts'
import type { Family } from './contestant.ts'
import { contestantNamed, contestants } from './contestants.ts'
import { engines } from './engines.ts'
import { type JobSettings, jobsForGates } from './gate-jobs.ts'
import { gateTable } from './gate-table.ts'
import { type Gate, gates } from './gates.ts'
import type { Job } from './job.ts'
import { judge, passes } from './judge.ts'
import { machine } from './machine.ts'
import { type Op, ops } from './ops.ts'
import { jobsOf, type Request } from './plan.ts'
import { type Rounds, runRounds } from './rounds.ts'
import { resultTables } from './tables.ts'

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
}

const families = [...new Set(contestants.filter(({ beside }) => beside === undefined).map(({ family }) => family))].filter(
  (family) => family !== 'harness',
)

const known = contestants.map(({ name }) => name)

export function sessionsCommand(): Command {
  return (
    new Command('sessions')
      .description('The session API on each backend, beside what people use instead (the default).')
      .option('--backend <names>', `of ${families.join(', ')}; separated by commas`, listOf(families), [...families])
      .option('--peers', 'also measure what each backend is compared with')
      .option('--op <names>', `of ${ops.join(', ')}`, listOf(ops), [...ops])
      .option('--in-flight <numbers>', 'calls at once', numbers, [1, 16, 256])
      .option('--sessions <n>', 'how many there are (default: 10,000; quick: 2,000)', positive)
      .option('--rounds <n>', 'each gives one ratio (default: 5; quick: 3)', positive)
      .option('--seconds <s>', 'how long each figure is measured in each round (default: 0.25; quick: 0.1)', positive)
      .option('--macrotask', 'each request in a turn of the event loop of its own')
      .option('--rate <n>', 'the mixture at so many calls a second, whether they are answered or not', positive)
      .option('--seed <n>', 'of ids and of the mixture', positive, 1)
      .option('--quick', 'fewer sessions, shorter, fewer rounds')
      .option('--check', 'measure what the gates need and judge them; exit code 1 where one falls short')
      .option('--profile <folder>', 'write a .cpuprofile of each process; its figures are slower for it')
      .option('--json <file>', 'write every figure of every run, with machine, versions and date')
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
  const rounds = options.rounds ?? (options.quick === true ? 3 : 5)
  const asked = gates.filter((gate) => isAsked(gate, options))
  const jobs = options.check === true ? jobsForGates(asked, known, settingsOf(options)) : jobsOf(contestants, requestOf(options))
  const found = await measure(jobs, rounds, options.profile)
  for (const text of resultTables(contestants, found.runs)) console.log(`\n${text}`)
  console.log(notes(jobs, found, rounds))
  // Those that were not asked for are named as well: they have not passed.
  const judged = options.check === true ? gates.map((gate) => judge(gate, { ...found, known })) : []
  if (options.check === true) console.log(`\n${gateTable(judged)}`)
  if (options.json !== undefined) {
    const told = { machine: await machine(new Date()), ...found, ...(options.check === true ? { gates: judged } : {}) }
    await writeFile(options.json, `${JSON.stringify(told, undefined, 2)}\n`)
  }
  if (found.failures.some(({ isHere }) => isHere)) process.exitCode = 1
  if (options.check === true && !passes(judged)) process.exitCode = 1
}

/** A quick check leaves out what takes minutes to fill. */
function isAsked({ who, measure }: Gate, { backend, quick }: Options): boolean {
  return backend.some((family) => family === contestantNamed(who)?.family) && (quick !== true || measure.sessions <= 100_000)
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

/** Ctrl-C ends it, and keeps what is done. */
async function measure(jobs: readonly Job[], rounds: number, profiles: string | undefined): Promise<Rounds> {
  await using runner = await bundle(new URL('./runner.ts', import.meta.url))
  await using started = engines()
  const stopping = new AbortController()
  const stop = () => stopping.abort()
  process.once('SIGINT', stop)
  const bar = new SingleBar({
    stream: process.stderr,
    format: '{bar} {value}/{total} {eta_formatted} {next}',
    clearOnComplete: true,
    hideCursor: true,
    gracefulExit: false,
  })
  bar.start(jobs.length * rounds, 0, { next: '' })
  try {
    return await runRounds({
      jobs,
      rounds,
      script: runner.path,
      engines: started,
      profiles,
      stop: stopping.signal,
      onRun: (done, next) => bar.update(done, { next }),
    })
  } finally {
    bar.stop()
    process.off('SIGINT', stop)
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

function listOf<T extends string>(known: readonly T[]): (text: string) => T[] {
  return (text) =>
    text.split(',').map((name) => {
      const found = known.find((one) => one === name.trim())
      if (found === undefined) throw new InvalidArgumentError(`${name} is none of ${known.join(', ')}.`)
      return found
    })
}

function numbers(text: string): number[] {
  return text.split(',').map(positive)
}

function positive(text: string): number {
  const value = Number(text)
  if (!(value > 0 && value <= 10_000_000)) throw new InvalidArgumentError('It is a number above 0.')
  return value
}
