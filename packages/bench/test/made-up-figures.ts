import { contestants } from '../src/sessions/contestants.ts'
import { type CurveName, curvesOf } from '../src/sessions/curves.ts'
import type { Figures } from '../src/sessions/figures-file.ts'
import { jobsForGates, jobsForMeasures } from '../src/sessions/gate-jobs.ts'
import { type Gate, gates } from '../src/sessions/gates.ts'
import type { Job, JobResult } from '../src/sessions/job.ts'

const known = contestants.map(({ name }) => name)
const settings = { seconds: 1, warmUpSeconds: 1, seed: 1 }
const machine = {
  date: '2026-02-03T04:05:06.000Z',
  cores: 2,
  processor: 'made up',
  memoryGb: 4,
  system: 'Linux',
  node: '20.0.0',
  versions: { keyv: '6.1.0' },
}

/** A job's result if every call took so long, and everything else a multiple of that. */
export function madeUpResult({ load }: Job, opsPerSecond: number): JobResult {
  const us = 1e6 / opsPerSecond
  const latencies = { p50Us: us, p95Us: 2 * us, p99Us: 3 * us, maxUs: 4 * us }
  const delay = { loopP99Ms: 2, loopMaxMs: 5 }
  const call = { calls: 1, missed: 0, seconds: 1, opsPerSecond, cpuUs: us, ...latencies }
  switch (load.kind) {
    case 'closed':
      return { cells: load.cells.map((cell) => ({ ...cell, ...call })), residentBytesPerSession: 1_000, heapBytesPerSession: 900 }
    case 'rate':
      return { rate: { ...call, ...delay } }
    case 'cleaning':
      return { cleaning: { deleted: load.expired, cleaningMs: (load.expired * us) / 1e3, ...delay, p99BeforeUs: 10, p99MeanwhileUs: 15 } }
    case 'opening':
      return { opening: { openMs: 1, ...delay }, residentBytesPerSession: 500 }
  }
}

type SpeedOf = (job: Job, round: number) => number

/** What a check of these gates would have left behind. */
export function madeUpCheck(speedOf: SpeedOf, asked: readonly Gate[] = gates): Figures {
  return figuresOf(jobsForGates(asked, known, settings), speedOf)
}

export function madeUpCurves(names: readonly CurveName[], who: readonly string[], speedOf: SpeedOf): Figures {
  const curves = curvesOf(names, false)
  const wanted = who.flatMap((name) => curves.flatMap(({ points }) => points.map(({ measure }) => ({ who: name, measure }))))
  return { ...figuresOf(jobsForMeasures(wanted, settings), speedOf), curves }
}

function figuresOf(jobs: readonly Job[], speedOf: SpeedOf): Figures {
  const rounds = [0, 1, 2]
  const runs = rounds.flatMap((round) => jobs.map((job) => ({ round, job, result: madeUpResult(job, speedOf(job, round)) })))
  return { machine, runs, failures: [], complete: rounds.length }
}
