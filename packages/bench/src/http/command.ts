import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SingleBar } from 'cli-progress'
import { Command, InvalidArgumentError, Option } from 'commander'
import { bundle } from '../bundle.ts'
import { type Figure, holds } from '../figure.ts'
import { jsonText, tableText } from '../report.ts'
import { coldCalls } from './cold-calls.ts'
import { type Contender, type ContenderOptions, startContender } from './contender.ts'
import { longCalls } from './long-calls.ts'
import { plainCalls } from './plain-calls.ts'
import type { Major } from './tools.ts'

interface Options {
  readonly rounds: number
  readonly seconds: number
  readonly sdk: Major | 'both'
  readonly json?: true
  readonly gate?: true
}

/** What the adapter may cost. */
const bars = {
  plain: { memory: 1.15, sqlite: 1.3 },
  longMs: 5,
  coldMs: 5,
} as const

export function httpCommand(): Command {
  return new Command('http')
    .description("The HTTP adapter beside the SDK's own transport: the same server, the same client, in turns.")
    .option('--rounds <n>', 'each of them gives one ratio', positive, 7)
    .option('--seconds <s>', 'how long each server is asked per round and number in flight', positive, 1)
    .addOption(new Option('--sdk <major>', 'whose server and transport').choices(['v1', 'v2', 'both']).default('v2'))
    .option('--json', 'one line of JSON per SDK instead of a table')
    .option('--gate', 'exit code 1 where a bar does not hold')
    .action(async (options: Options) => {
      const majors: readonly Major[] = options.sdk === 'both' ? ['v1', 'v2'] : [options.sdk]
      for (const sdk of majors) {
        const figures = await measure(sdk, options)
        const title = `@mcp-session/http beside the transport of SDK ${sdk} with enableJsonResponse, ${options.rounds} rounds`
        const notes = [`Node ${process.versions.node}. ×: as long as the SDK in the same round. A bar is for the median.`]
        console.log((options.json === true ? jsonText : tableText)({ title, notes, figures }))
        if (options.gate === true && !figures.every(holds)) process.exitCode = 1
      }
    })
}

async function measure(sdk: Major, options: Options): Promise<Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), 'mcp-session-bench-'))
  await using servers = startedServers()
  try {
    await using built = await bundle(new URL('./server.ts', import.meta.url))
    return await compare({ ...options, sdk, folder, script: built.path, start: servers.start })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

interface Comparison extends Pick<Options, 'rounds' | 'seconds'> {
  readonly sdk: Major
  readonly script: string
  /** For the databases. */
  readonly folder: string
  start(options: ContenderOptions): Promise<Contender>
}

async function compare({ sdk, script, folder, rounds, seconds, start }: Comparison): Promise<Figure[]> {
  const common = { script, sdk, clients: 16 }
  const sqlite = `sqlite:${join(folder, 'sessions.db')}`
  const peer = await start({ ...common, name: 'the SDK', sessions: 'stock' })
  // What differs from 1 between two servers that are the same is noise.
  const control = await start({ ...common, name: 'the SDK again', sessions: 'stock' })
  const memory = await start({ ...common, name: 'memory', sessions: 'memory' })
  const onSqlite = await start({ ...common, name: 'sqlite', sessions: sqlite })
  const touched = `sqlite:${join(folder, 'touched.db')}`
  const touching = await start({ ...common, name: 'sqlite, touched by each call', sessions: touched, touchMs: 1 })

  const bar = new SingleBar({ stream: process.stderr, format: `SDK ${sdk} {bar} {value}/{total} rounds`, clearOnComplete: true })
  bar.start(4 * rounds, 0)
  const onRound = () => bar.increment()
  try {
    const all = [peer, control, memory, onSqlite, touching]
    return [
      ...(await plainCalls({ contenders: all, peer, bars: bars.plain, rounds, seconds, onRound })),
      ...(await longCalls({ contenders: [peer, control, memory, onSqlite], peer, control, barMs: bars.longMs, folder, rounds, onRound })),
      ...(await coldCalls({
        home: onSqlite,
        node: { script, sdk, sessions: sqlite },
        peer: { script, sdk, sessions: 'stock' },
        barMs: bars.coldMs,
        rounds,
        onRound,
      })),
    ]
  } finally {
    bar.stop()
  }
}

/** All servers that were started, to be ended together. */
function startedServers(): AsyncDisposable & Pick<Comparison, 'start'> {
  const started: Contender[] = []
  return {
    async start(options) {
      const contender = await startContender(options)
      started.push(contender)
      return contender
    },
    async [Symbol.asyncDispose]() {
      for (const contender of started) await contender[Symbol.asyncDispose]()
    },
  }
}

function positive(text: string): number {
  const value = Number(text)
  if (!(value > 0 && value <= 10_000)) throw new InvalidArgumentError('It is a number above 0.')
  return value
}
