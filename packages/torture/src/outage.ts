import { setTimeout as after } from 'node:timers/promises'
import { startClient } from './client-process.ts'
import { hostClock } from './client-requests.ts'
import { type Harness, NotRun, type Outcome, type Trial } from './harness.ts'
import type { OutageReport, OutageRequest } from './outage-report.ts'
import { type OutageKind, outageKinds, outageOf, startHolder } from './outages.ts'
import { type RunningStore, sharedBackends, startStore } from './running-store.ts'

export interface OutageOptions {
  readonly outageMs: number
  /** Calls per second. */
  readonly rate?: number
  /** A bug for the harness to find, see `outage-plants.ts`. */
  readonly plant?: string | undefined
}

/** Below, an outage is a check that the harness works: memory and first answers then say little. */
const earnestMs = 10_000
/** `maxInFlight` with the engine, as many that wait for a change before them, and those that are about to be refused. */
const mostOpen = 2 * 1_024 + 500

/** The engine goes away under load, and comes back. */
export function outage({ outageMs, rate = 10_000, plant }: OutageOptions): Harness {
  return {
    name: 'outage',
    about: [
      `The engine is away for ${outageMs / 1_000} s under ${rate} calls per second of one process: killed, stopped, behind a black hole (drop), a storm of`,
      'resets (rst), or restarted every 2 s. Every call settles in time, surplus is refused at once, and calls succeed again without a restart.',
    ].join('\n  '),
    backends: ['redis', ...sharedBackends.filter((name) => name !== 'redis')],
    variants: outageKinds,
    tries: 1,
    async run(trial) {
      const kind = outageKinds.find((name) => name === trial.variant) ?? 'kill'
      let tried = 0
      let measured: Outcome['measured']
      while (tried < trial.tries && !trial.isOver()) {
        await using store = await startStore(trial.backend, { durable: false })
        measured = await oneOutage(trial, kind, store, { outageMs, rate, plant })
        tried += 1
        trial.progress(tried)
      }
      return { tried, ...(measured === undefined ? {} : { measured }) }
    },
  }
}

async function oneOutage(
  trial: Trial,
  kind: OutageKind,
  store: RunningStore,
  { outageMs, rate, plant }: Required<OutageOptions>,
): Promise<NonNullable<Outcome['measured']>> {
  if (!store.survivesCrash && (kind === 'kill' || kind === 'restart'))
    throw new NotRun('a crash of this engine takes all sessions, as its README says')
  if (store.engines.length === 0 && kind !== 'stop') throw new NotRun('there is no server: only its lock can be kept (stop)')
  const callTimeoutMs = outageMs >= 3 * 5_000 ? 5_000 : 1_000
  await using client = await startClient(new URL('./outage-client.ts', import.meta.url), [
    `--store=${store.place}`,
    `--timeout=${callTimeoutMs}`,
    ...(plant === undefined ? [] : [`--plant=${plant}`]),
  ])
  const ask = (request: OutageRequest) => client.ask(request)
  await ask({ do: 'begin', rate })
  await using holder = store.engines.length === 0 ? await startHolder(store) : undefined
  const away = outageOf(kind, store, holder)
  await after(Math.min(5_000, outageMs))
  if (outageMs >= earnestMs) await rehearse(outageOf(kind, store, holder))
  await ask({ do: 'mark' })
  await away.begin()
  await after(outageMs)
  await away.end()
  const returnedAt = hostClock()
  await after(Math.min(3_000, outageMs))
  const report = (await ask({ do: 'finish', returnedAt })) as OutageReport
  judge(report, outageMs, trial)
  const { complaints, failures, firstReadMs, firstWriteMs, ...figures } = report
  return {
    ...figures,
    ...Object.fromEntries(Object.entries(failures).map(([code, count]) => [`failed ${code}`, count])),
    firstReadMs: firstReadMs ?? 'never',
    firstWriteMs: firstWriteMs ?? 'never',
    complaints: complaints.length,
  }
}

/** What errors and full queues take once is no growth: the heap gets to its working size before it is looked at. */
async function rehearse(away: ReturnType<typeof outageOf>): Promise<void> {
  await away.begin()
  await after(2_000)
  await away.end()
  await after(3_000)
}

/** What may fail while the engine is away. */
const allowed: readonly string[] = ['UNAVAILABLE', 'TIMEOUT', 'OVERLOADED', 'LOCKED', 'CONFLICT']

function judge(report: OutageReport, outageMs: number, trial: Trial): void {
  const isEarnest = outageMs >= earnestMs
  for (const complaint of report.complaints.slice(0, 5)) trial.bad(complaint)
  if (report.hanging > 0) trial.bad(`${report.hanging} calls never settled`)
  if (report.late > 0) trial.bad(`${report.late} calls settled later than 100 ms after their deadline, by ${report.latestMs} ms at most`)
  for (const code of Object.keys(report.failures))
    if (!allowed.includes(code)) trial.bad(`${report.failures[code]} calls failed with ${code}`)
  if (report.mostOpen > mostOpen) trial.bad(`${report.mostOpen} calls were open at once, more than ${mostOpen}`)
  if (report.refusedMsP99 > (isEarnest ? 5 : 50)) trial.bad(`refusing a surplus read took ${report.refusedMsP99} ms (99th percentile)`)
  for (const [what, ms] of [
    ['read', report.firstReadMs],
    ['write', report.firstWriteMs],
  ] as const) {
    if (ms === null) trial.bad(`no ${what} has succeeded since the return`)
    else if (isEarnest && ms - report.stallMsMax > 1_000) trial.bad(`the first ${what} succeeded ${ms} ms after the return`)
  }
  if (isEarnest && report.rssGrowthMb > 20) trial.bad(`the process has grown by ${report.rssGrowthMb} MB`)
}
