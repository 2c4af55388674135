import { openSessions, type Sessions } from '@mcp-session/core'
import { type ClientProcess, startClients } from './client-process.ts'
import type { Fate, RaceRequest } from './deletefinal-client.ts'
import type { Harness, Outcome, Trial } from './harness.ts'
import { whole } from './replay-history.ts'
import { type RunningStore, sharedBackends, startStore } from './running-store.ts'
import { backendOf } from './store-place.ts'

export interface DeletefinalOptions {
  readonly processes?: number
  /** A bug for the harness to find, see `deletefinal-plants.ts`. */
  readonly plant?: string | undefined
}

/** Sessions that are raced for at the same time. */
const sessionsPerRound = 20
const eventsBefore = 3

/** Processes that delete sessions under others that use them. */
export function deletefinal({ processes = 4, plant }: DeletefinalOptions = {}): Harness {
  return {
    name: 'deletefinal',
    about: [
      'Sessions that two processes delete or consume while all of them update, touch, prolong and append. One of the two had it; once either is',
      'through, nothing finds the session, and the engine holds nothing of it.',
    ].join('\n  '),
    backends: sharedBackends,
    variants: ['race'],
    tries: 2_000,
    async run(trial) {
      await using store = await startStore(trial.backend, { durable: false })
      await using clients = await startClients(processes, new URL('./deletefinal-client.ts', import.meta.url), () => [
        `--store=${store.place}`,
        ...(plant === undefined ? [] : [`--plant=${plant}`]),
      ])
      await using sessions = await openSessions({ backend: backendOf(store.place), cleanupIntervalMs: 0 })
      return await raceAll(trial, store, sessions, clients.all)
    },
  }
}

async function raceAll(trial: Trial, store: RunningStore, sessions: Sessions, clients: readonly ClientProcess[]): Promise<Outcome> {
  const figures = { tried: 0, calls: 0, refused: 0 }
  while (figures.tried < trial.tries && !trial.isOver()) {
    const ids = await newSessions(sessions, Math.min(sessionsPerRound, trial.tries - figures.tried))
    // Who ends which session: two processes each, by `delete` or by `consume`.
    const enders = ids.map(() => [whole(trial.random, clients.length), whole(trial.random, clients.length)])
    const fates = await Promise.all(
      clients.map((client, number) => {
        const roles = enders.map((of) => of.filter((ender) => ender === number).length)
        return client.ask({ ids, roles, seed: whole(trial.random, 2 ** 32) } satisfies RaceRequest) as Promise<readonly Fate[]>
      }),
    )
    for (const [index, id] of ids.entries()) {
      const of = fates.flatMap((ofProcess) => ofProcess[index] ?? [])
      judge(id, of, trial)
      await lookFor(sessions, id, trial)
      for (const { calls, refused } of of) {
        figures.calls += calls
        figures.refused += refused
      }
    }
    for (const left of await store.leftovers()) trial.bad(`after ${figures.tried + ids.length} sessions the engine still holds ${left}`)
    figures.tried += ids.length
    trial.progress(figures.tried)
  }
  return { tried: figures.tried, measured: { calls: figures.calls, refused: figures.refused } }
}

async function newSessions(sessions: Sessions, count: number): Promise<readonly string[]> {
  return Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const { id } = await sessions.create({ n: 0 }, { owner: `owner ${index % 3}`, ttlMs: 3_600_000 })
      for (let event = 0; event < eventsBefore; event += 1) {
        await sessions.events?.append(id, { key: `before-${event}`, stream: 'news', data: 'before' }, unbounded)
      }
      return id
    }),
  )
}

const unbounded = { maxEvents: 1_000, maxAgeMs: 3_600_000, maxBytes: 1_048_576 }

function judge(id: string, fates: readonly Fate[], trial: Trial): void {
  const gone = Math.min(...fates.flatMap(({ endedAt }) => endedAt ?? []))
  const had = fates.reduce((total, fate) => total + fate.had, 0)
  const unknown = fates.reduce((total, fate) => total + fate.unknownEnds, 0)
  if (had > 1) trial.bad(`${id}: ${had} of its enders were told that it was there`)
  if (had === 0 && unknown === 0) trial.bad(`${id}: none of its enders was told that it was there`)
  for (const { found, failures } of fates) {
    if (found !== undefined && found.startedAt > gone) {
      trial.bad(`${id}: ${found.method} found it ${(found.startedAt - gone).toFixed(1)} ms after its end`)
    }
    for (const failure of failures) trial.bad(`${id}: ${failure}`)
  }
}

/** By a process that took no part. */
async function lookFor(sessions: Sessions, id: string, trial: Trial): Promise<void> {
  if ((await sessions.retrieve(id)) !== undefined) trial.bad(`${id}: it is there after all calls have ended`)
  if ((await sessions.update(id, (metadata) => ({ ...metadata, late: true }))) !== undefined) trial.bad(`${id}: it can still be updated`)
  const events = await sessions.events?.read(id, { after: 0, limit: 10, maxAgeMs: 3_600_000 })
  if (events !== undefined) trial.bad(`${id}: ${events.events.length} events of it can still be read`)
}
