import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startNode } from '@mcp-session/test-processes'
import { contestantNamed } from './contestants.ts'
import type { Engines } from './engines.ts'
import type { Job, JobResult } from './job.ts'
import { NotHere } from './not-here.ts'
import { type Assignment, isReport, isStarted } from './runner-protocol.ts'

/** What one process found in one round. */
export interface Run {
  readonly round: number
  readonly job: Job
  readonly result: JobResult
}

/** A job that could not be measured; its later rounds were left out. */
export interface Failure {
  readonly round: number
  readonly job: Job
  readonly reason: string
  /** False: it cannot run on this machine, and nobody is to blame. */
  readonly isHere: boolean
}

export interface Rounds {
  readonly runs: readonly Run[]
  readonly failures: readonly Failure[]
  /** Rounds that every job has been through. */
  readonly complete: number
}

export interface RoundsOptions {
  readonly jobs: readonly Job[]
  readonly rounds: number
  /** Path of the built runner. */
  readonly script: string
  readonly engines: Engines
  /** A folder for a profile of each process; absent: none. */
  readonly profiles?: string | undefined
  /** Ends it early: what is done is kept. */
  readonly stop: AbortSignal
  readonly onRun: (done: number, next: string) => void
}

const nothing = { kind: 'closed', cells: [], macrotask: false } as const

/** The slowest store with a million sessions takes minutes; whatever takes longer hangs. */
const maxJobMs = 1_800_000

/** A B C A B C: in each round each job in a process of its own, one after the other. */
export async function runRounds(options: RoundsOptions): Promise<Rounds> {
  const { jobs, rounds, stop, onRun } = options
  const runs: Run[] = []
  const failures: Failure[] = []
  let complete = 0
  let done = 0
  for (let round = 0; round < rounds; round += 1) {
    for (const job of jobs) {
      if (stop.aborted) return { runs, failures, complete }
      onRun(done, job.contestant)
      done += 1
      if (failures.some((failure) => failure.job === job)) continue
      try {
        runs.push({
          round,
          job,
          result: await runOnce(options, { ...job, seed: job.seed + round }, `bench_${process.pid}_${String(done).padStart(6, '0')}`),
        })
      } catch (error) {
        if (stop.aborted) return { runs, failures, complete }
        failures.push({ round, job, reason: reasonOf(error), isHere: !(error instanceof NotHere) })
      }
    }
    complete += 1
  }
  return { runs, failures, complete }
}

async function runOnce({ script, engines, profiles, stop }: RoundsOptions, job: Job, namespace: string): Promise<JobResult> {
  const engine = contestantNamed(job.contestant)?.engine
  const url = engine === undefined ? '' : await engines.url(engine)
  const folder = await mkdtemp(join(tmpdir(), 'mcp-session-bench-'))
  try {
    const place = { folder, namespace, url }
    // What is to be opened another process has filled.
    if (job.load.kind === 'opening') await inProcess(script, { job: { ...job, load: nothing }, place }, stop)
    const profile = profiles === undefined ? {} : { profile: join(profiles, `${job.contestant}-${namespace}.cpuprofile`) }
    return await inProcess(script, { job, place, ...profile }, stop)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function inProcess(script: string, assignment: Assignment, stop: AbortSignal): Promise<JobResult> {
  await using node = await startNode({ script, args: [JSON.stringify(assignment)], ready: isStarted })
  const end = () => void node.kill()
  stop.addEventListener('abort', end)
  try {
    stop.throwIfAborted()
    const report = await node.message(isReport, maxJobMs)
    await node.exited
    if ('result' in report) return report.result
    throw report.isHere ? new Error(report.error) : new NotHere(report.error)
  } finally {
    stop.removeEventListener('abort', end)
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
