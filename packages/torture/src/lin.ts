import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { checkRecordHistory, describeHistory } from '@mcp-session/conformance'
import { type BlowKind, blowOf } from './blows.ts'
import { type ClientProcess, startClient, startClients } from './client-process.ts'
import type { Harness, Outcome, Trial } from './harness.ts'
import { callsPerWindow, idOf, idsPerWindow, type LinRequest, type LookRequest } from './lin-ids.ts'
import { type ReadLedger, takeLedger } from './lin-ledger.ts'
import { seededRandom } from './random.ts'
import { whole } from './replay-history.ts'
import { type RunningStore, sharedBackends, startStore } from './running-store.ts'

export interface LinOptions {
  readonly processes?: number
  /** Calls of a client in a round. */
  readonly callsPerRound?: number
  /** A bug for the harness to find, see `lin-plants.ts`. */
  readonly plant?: string | undefined
}

const clientsPerProcess = 8
/** Of a round, at most: on a busy machine an engine that is hit again and again would never be there for a whole call. */
const mostBlows = 5

/** Histories of many processes, checked. */
export function lin({ processes = 4, callsPerRound = 240, plant }: LinOptions = {}): Harness {
  return {
    name: 'lin',
    about: [
      `Calls of ${processes} processes × ${clientsPerProcess} clients on few records, noted with their times and outcomes, while the engine is killed (kill),`,
      'stopped (stop), its connections are reset (rst) or its replies lost (lost): an order of the calls explains all answers. Tries are calls.',
    ].join('\n  '),
    backends: sharedBackends,
    variants: ['calm', 'kill', 'stop', 'rst', 'lost'],
    tries: 70_000,
    async run(trial) {
      const folder = await mkdtemp(join(tmpdir(), 'mcp-session-lin-'))
      try {
        await using store = await startStore(trial.backend, { durable: false })
        return await play(trial, store, folder, { processes, callsPerRound, plant })
      } finally {
        await rm(folder, { recursive: true, force: true })
      }
    },
  }
}

async function play(
  trial: Trial,
  store: RunningStore,
  folder: string,
  { processes, callsPerRound, plant }: Required<LinOptions>,
): Promise<Outcome> {
  const script = new URL('./lin-client.ts', import.meta.url)
  const args = [`--store=${store.place}`, ...(plant === undefined ? [] : [`--plant=${plant}`])]
  await using started = await startClients(processes, script, () => args)
  const clients = [...started.all]
  const killed = new Set<ClientProcess>()
  const replace = async (number: number) => {
    const before = clients[number]
    if (before === undefined) return
    killed.add(before)
    await before.kill()
    clients[number] = await startClient(script, args)
  }
  const blow = trial.variant === 'calm' ? undefined : blowOf(trial.variant as BlowKind, store, clients, replace)
  const figures = { tried: 0, unknown: 0, failed: 0, blows: 0, rounds: 0, checkMs: 0 }
  try {
    while (figures.tried < trial.tries && !trial.isOver()) {
      const name = `r${figures.rounds}`
      figures.rounds += 1
      const ledgers = await round({ name, trial, folder, clients, killed, callsPerRound, figures, blow })
      judge(ledgers, trial, figures)
      trial.progress(figures.tried, `${figures.unknown} unknown, ${figures.blows} blows`)
    }
  } finally {
    await Promise.all(clients.map((client) => client.kill()))
  }
  const { tried, checkMs, ...others } = figures
  return { tried, measured: { ...others, checkMs: Math.round(checkMs) } }
}

interface Round {
  readonly name: string
  readonly trial: Trial
  readonly folder: string
  /** May be replaced meanwhile. */
  readonly clients: ClientProcess[]
  readonly killed: ReadonlySet<ClientProcess>
  readonly callsPerRound: number
  readonly figures: { blows: number }
  readonly blow: ReturnType<typeof blowOf> | undefined
}

/** All clients at once, with blows until they are through; then one looks at every id. */
async function round({ name, trial, folder, clients, killed, callsPerRound, figures, blow }: Round): Promise<readonly ReadLedger[]> {
  const ledgers = clients.map((_, number) => join(folder, `${name}.${number}`))
  let running = true
  const asked = clients.map(async (client, number) => {
    const seed = whole(trial.random, 2 ** 32)
    const request = { name, process: number, seed, clients: clientsPerProcess, calls: callsPerRound, ledger: ledgers[number] ?? '' }
    try {
      await client.ask(request satisfies LinRequest)
    } catch (error) {
      if (!killed.has(client)) throw error
    }
  })
  const all = Promise.allSettled(asked).finally(() => {
    running = false
  })
  // Chance of its own: how many blows a round takes depends on the machine.
  const random = seededRandom(trial.seed + figures.blows)
  for (let left = mostBlows; blow !== undefined && running && left > 0; left -= 1) {
    await Promise.race([all, after(20 + whole(random, 250))])
    if (!running) break
    await blow(random)
    figures.blows += 1
  }
  for (const result of await all) if (result.status === 'rejected') trial.bad(`${name}: a process did not get through: ${result.reason}`)

  const ledger = join(folder, `${name}.last`)
  const windows = Array.from({ length: Math.ceil(callsPerRound / callsPerWindow) }, (_, window) => window)
  const look = windows.flatMap((window) => Array.from({ length: idsPerWindow }, (_, number) => idOf(name, window, number)))
  await clients[0]?.ask({ look, ledger } satisfies LookRequest)
  return Promise.all([...ledgers, ledger].map(takeLedger))
}

function judge(
  ledgers: readonly ReadLedger[],
  trial: Trial,
  figures: { tried: number; unknown: number; failed: number; checkMs: number },
): void {
  const began = performance.now()
  const history = ledgers.flatMap(({ operations }) => operations)
  for (const what of new Set(ledgers.flatMap(({ wrong }) => wrong))) trial.bad(what)
  const violation = checkRecordHistory(history)
  if (violation !== undefined) trial.bad(`${violation.id}: ${violation.reason}:\n${describeHistory(violation.operations)}`)
  figures.tried += history.length
  figures.unknown += history.filter(({ known }) => !known).length
  for (const { failures } of ledgers) for (const count of failures.values()) figures.failed += count
  figures.checkMs += performance.now() - began
}
