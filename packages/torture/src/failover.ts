import { setTimeout as after } from 'node:timers/promises'
import { startClients } from './client-process.ts'
import { afterwards, lostOf } from './failover-check.ts'
import type { Acknowledged, FailoverRequest } from './failover-client.ts'
import { type FailoverPair, startFailoverPair } from './failover-pair.ts'
import type { Harness, Outcome, Trial } from './harness.ts'
import { whole } from './replay-history.ts'

export interface FailoverOptions {
  /** `async`: a pair that promises nothing is judged as one that does. */
  readonly plant?: 'async' | undefined
}

const processes = 2

/** A standby takes over under writes. */
export function failover({ plant }: FailoverOptions = {}): Harness {
  return {
    name: 'failover',
    about: [
      'A replica is promoted under the writes of two processes, while the primary still takes some or just after it was killed. async: what was',
      'acknowledged and is gone is counted; sync (a write is acknowledged once the replica has it): it is none. Afterwards all laws hold on the new primary.',
    ].join('\n  '),
    backends: ['redis', 'postgres'],
    variants: ['async', 'sync'],
    tries: 5,
    async run(trial) {
      const figures = { tried: 0, acknowledged: 0, unknown: 0, lost: 0, lostSessions: 0 }
      while (figures.tried < trial.tries && !trial.isOver()) {
        const isSync = trial.variant === 'sync'
        await using pair = await startFailoverPair(trial.backend, isSync && plant !== 'async')
        await failOver(trial, pair, isSync, figures)
        figures.tried += 1
        trial.progress(figures.tried, `${figures.acknowledged} acknowledged, ${figures.lost} lost`)
      }
      const { tried, ...measured } = figures
      return { tried, measured } satisfies Outcome
    },
  }
}

interface Figures {
  acknowledged: number
  unknown: number
  lost: number
  lostSessions: number
}

async function failOver(trial: Trial, pair: FailoverPair, isSync: boolean, figures: Figures): Promise<void> {
  await using clients = await startClients(processes, new URL('./failover-client.ts', import.meta.url), (number) => [
    `--store=${pair.primaryPlace}`,
    `--name=p${number}`,
  ])
  const ask = async (request: FailoverRequest) => Promise.all(clients.all.map((client) => client.ask(request)))
  await ask({ do: 'begin' })
  await after(300 + whole(trial.random, 700))
  // A failover is often begun while the old primary still answers: what it takes from then on nobody has.
  const isSplit = whole(trial.random, 3) > 0
  if (isSplit) {
    await pair.promote()
    await after(whole(trial.random, 400))
    await pair.killPrimary()
  } else {
    await pair.killPrimary()
    await pair.promote()
  }
  const told = (await ask({ do: 'finish' })) as readonly (readonly Acknowledged[])[]
  const all = told.flat()
  const lost = await lostOf(all, pair.standbyPlace, trial)
  figures.acknowledged += all.reduce((total, { acknowledged }) => total + acknowledged, 0)
  figures.unknown += all.reduce((total, { unknown }) => total + unknown, 0)
  figures.lost += lost.writes
  figures.lostSessions += lost.sessions
  if (isSync && lost.writes > 0) trial.bad(`${lost.writes} acknowledged writes of ${lost.sessions} sessions are gone after the failover`)
  await afterwards(all, pair.standbyPlace, trial)
}
