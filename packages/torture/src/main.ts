import { randomInt } from 'node:crypto'
import { Command, InvalidArgumentError } from 'commander'
import type { Harness } from './harness.ts'
import { type HarnessSettings, harnesses } from './harnesses.ts'
import { type PlannedRun, type PlanRequest, planRuns } from './plan.ts'
import { terminalProgress } from './progress.ts'
import { makeRun } from './run.ts'

interface Options extends Omit<PlanRequest, 'name'> {
  readonly seed?: number
  readonly tries?: number
  readonly budget?: number
  readonly retry: number
  readonly outage: number
  readonly list?: true
}

/** Beyond these a run prints its count only. */
const printedViolations = 20

const program = new Command('torture')
  .description('Maltreats real processes, and prints one JSON line per run: what was tried, and how often a law was broken.')
  .argument('[name]', 'a harness, or all')
  .option('--backend <name>', 'where the sessions live (default: the first that the harness names)')
  .option('--variant <name>', 'one variant of the harness (default: all of them)')
  .option('--seed <n>', 'repeats the course of an earlier run (default: a new one)', number(0, 2 ** 32 - 1))
  .option('--tries <n>', 'how many tries each run makes (default: says --list)', number(1, Number.MAX_SAFE_INTEGER))
  .option('--budget <seconds>', 'ends each run after that time, with what was begun', number(1, 1_000_000))
  .option('--retry <ms>', 'kills: how long clients are told to wait before they reconnect', number(1, 60_000), 500)
  .option('--outage <seconds>', 'outage: how long the engine is away', number(1, 3_600), 30)
  .option('--list', 'names the harnesses, their backends and variants, and runs nothing')
  .addHelpText('after', '\nExit code: 0 nothing bad, 1 a law was broken, 2 a mistake in the command line.')
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2))
  .parse()

const options = program.opts<Options>()
const [name] = program.args
const all = harnesses({ retryMs: options.retry, outageMs: options.outage * 1_000 } satisfies HarnessSettings)

if (options.list === true) {
  for (const harness of all) console.log(described(harness))
} else if (name === undefined) {
  program.error(`error: which harness? It is one of ${all.map((harness) => harness.name).join(', ')}, or all`)
} else {
  await run(planned({ ...options, name }), options)
}

async function run(runs: readonly PlannedRun[], { seed = randomInt(2 ** 32), tries, budget }: Options): Promise<void> {
  const progress = terminalProgress(process.stderr)
  let bad = 0
  for (const one of runs) {
    const told = `${one.harness.name} --variant ${one.variant} --backend ${one.backend} --seed ${seed}`
    let printed = 0
    const line = await makeRun(one, {
      seed,
      tries,
      budget,
      progress,
      report(what) {
        printed += 1
        if (printed <= printedViolations) say(`BAD ${told}: ${what}`)
        else if (printed === printedViolations + 1) say(`BAD ${told}: and more, which the line counts`)
      },
    })
    bad += line.bad
    console.log(JSON.stringify(line))
  }
  process.exitCode = bad > 0 ? 1 : 0
}

/** Above the progress line, which is drawn anew soon. */
function say(text: string): void {
  console.error(process.stderr.isTTY ? `\r\u001b[K${text}` : text)
}

function planned(request: PlanRequest): readonly PlannedRun[] {
  try {
    return planRuns(all, request)
  } catch (error) {
    if (error instanceof RangeError) program.error(`error: ${error.message}`)
    throw error
  }
}

function described({ name, about, backends, variants, tries }: Harness): string {
  return `${name}: ${about}\n  backends: ${backends.join(', ')}\n  variants: ${variants.join(', ')}\n  tries: ${tries}`
}

function number(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (!/^\d+$/.test(text) || value < min || value > max) throw new InvalidArgumentError(`It is a whole number from ${min} to ${max}.`)
    return value
  }
}
