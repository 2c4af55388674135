import { setTimeout as after } from 'node:timers/promises'
import { openSessions } from '@mcp-session/core'
import { type Blow, blowOf } from './blows.ts'
import { type ClientProcess, startClients } from './client-process.ts'
import type { Counted, CounterState, CountRequest } from './counter-client.ts'
import type { Harness, Outcome, Trial } from './harness.ts'
import { seededRandom } from './random.ts'
import { whole } from './replay-history.ts'
import { type RunningStore, sharedBackends, startStore } from './running-store.ts'
import { backendOf } from './store-place.ts'

export interface CounterOptions {
  readonly processes?: number
  /** A bug for the harness to find, see `counter-plants.ts`. */
  readonly plant?: string | undefined
}

/** Processes that add to one session. */
export function counter({ processes = 8, plant }: CounterOptions = {}): Harness {
  return {
    name: 'counter',
    about: `${processes} processes add 1 to a number in one session, all at once, by update: not one addition is lost or made twice.
  lost: while replies get lost, so that writes are sent again`,
    backends: sharedBackends,
    variants: ['calm', 'lost'],
    tries: 16_000,
    async run(trial) {
      await using store = await startStore(trial.backend, { durable: false })
      return await runOn(store, trial, processes, plant)
    },
  }
}

async function runOn(store: RunningStore, trial: Trial, processes: number, plant: string | undefined): Promise<Outcome> {
  await using sessions = await openSessions<CounterState>({ backend: backendOf(store.place), cleanupIntervalMs: 0 })
  const { id } = await sessions.create({ total: 0, by: {} })
  await using clients = await startClients(processes, new URL('./counter-client.ts', import.meta.url), (number) => [
    `--store=${store.place}`,
    `--id=${id}`,
    `--name=p${number}`,
    ...(plant === undefined ? [] : [`--plant=${plant}`]),
  ])
  const blow = trial.variant === 'lost' ? blowOf('lost', store, [], async () => {}) : undefined
  const began = performance.now()
  const counting = count(clients.all, trial)
  const blows = blow === undefined ? 0 : await blowWhile(counting, blow, trial)
  const counted = await counting
  const tookMs = performance.now() - began
  const state = (await sessions.retrieve(id))?.metadata
  if (state === undefined) trial.bad('the session is gone')
  else judge(state, counted, trial)
  const sum = (pick: (of: Counted) => number) => [...counted.values()].reduce((total, of) => total + pick(of), 0)
  return {
    tried: sum(({ done, unknown }) => done + unknown),
    measured: {
      total: state?.total ?? 0,
      unknown: sum(({ unknown }) => unknown),
      refused: sum(({ refused }) => refused),
      conflicts: sum(({ conflicts }) => conflicts),
      blows,
      perSecond: Math.round(sum(({ done }) => done) / (tookMs / 1_000)),
    },
  }
}

/** Blows until it has settled; how many. */
async function blowWhile(counting: Promise<unknown>, blow: Blow, trial: Trial): Promise<number> {
  const random = seededRandom(trial.seed)
  let isOver = false
  let blows = 0
  const settled = counting.then(
    () => {},
    () => {},
  )
  void settled.then(() => {
    isOver = true
  })
  while (!isOver) {
    await Promise.race([settled, after(200 + whole(random, 1_000))])
    if (isOver) break
    await blow(random)
    blows += 1
  }
  return blows
}

/** In slices, so that it can be shown how far it is, and a budget can end it. */
async function count(clients: readonly ClientProcess[], trial: Trial): Promise<ReadonlyMap<string, Counted>> {
  const counted = new Map<string, Counted>()
  const each = Math.ceil(trial.tries / clients.length)
  const slices = Math.min(10, each)
  for (let slice = 0; slice < slices && !trial.isOver(); slice += 1) {
    const times = Math.floor((each * (slice + 1)) / slices) - Math.floor((each * slice) / slices)
    await Promise.all(
      clients.map(async (client, number) => {
        const request: CountRequest = { times }
        const { name, ...now } = (await client.ask(request, 600_000)) as Counted & { readonly name: string }
        counted.set(name, added(counted.get(name), now))
        if (number === 0) trial.progress([...counted.values()].reduce((total, { done }) => total + done, 0))
      }),
    )
  }
  return counted
}

function added(before: Counted | undefined, now: Counted): Counted {
  if (before === undefined) return now
  return {
    done: before.done + now.done,
    unknown: before.unknown + now.unknown,
    refused: before.refused + now.refused,
    conflicts: now.conflicts,
    failures: [...before.failures, ...now.failures],
  }
}

function judge(state: CounterState, counted: ReadonlyMap<string, Counted>, trial: Trial): void {
  let sum = 0
  for (const [name, { done, unknown, failures }] of counted) {
    const stored = state.by[name] ?? 0
    sum += stored
    if (stored < done || stored > done + unknown) {
      trial.bad(`${name} was told of ${done} additions, and of ${unknown} that may have been made; the session has ${stored} of them`)
    }
    for (const failure of failures) trial.bad(`${name}: an addition failed: ${failure}`)
  }
  if (state.total !== sum) trial.bad(`the total is ${state.total}, and its parts make ${sum}`)
}
