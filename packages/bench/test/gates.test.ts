import { expect, test } from 'vitest'
import { contestantNamed, contestants } from '../src/sessions/contestants.ts'
import { jobsForGates } from '../src/sessions/gate-jobs.ts'
import { gateTable } from '../src/sessions/gate-table.ts'
import { type Gate, gates } from '../src/sessions/gates.ts'
import type { Job, JobResult } from '../src/sessions/job.ts'
import { judge, passes } from '../src/sessions/judge.ts'
import type { Run } from '../src/sessions/rounds.ts'

const known = contestants.map(({ name }) => name)
const settings = { seconds: 1, warmUpSeconds: 1, seed: 1 }
const latencies = { p50Us: 1, p95Us: 1, p99Us: 1, maxUs: 1 }

const gate: Gate = {
  who: 'memory',
  measure: { figure: 'ops/s', op: 'mixed', inFlight: 1, sessions: 10_000 },
  beside: { who: 'keyv', by: 'ratio' },
  bar: { atLeast: 10 },
}

/** What a job would find if every call of that contestant took the same. */
function found(job: Job, opsPerSecond: number): JobResult {
  const delay = { loopP99Ms: 2, loopMaxMs: 5 }
  const call = { calls: 1, missed: 0, seconds: 1, opsPerSecond, cpuUs: 1, ...latencies }
  switch (job.load.kind) {
    case 'closed':
      return { cells: job.load.cells.map((cell) => ({ ...cell, ...call })), residentBytesPerSession: 1_000 }
    case 'rate':
      return { rate: { ...call, ...delay } }
    case 'cleaning':
      return { cleaning: { deleted: 1, cleaningMs: 1, ...delay, p99BeforeUs: 10, p99MeanwhileUs: 15 } }
    case 'opening':
      return { opening: { openMs: 1, ...delay }, residentBytesPerSession: 500 }
  }
}

/** One run per round of both contestants of `gate`. */
function runsOf(ours: readonly number[], theirs: readonly number[]): Run[] {
  const run = (contestant: string) => (opsPerSecond: number, round: number) => {
    const job: Job = {
      contestant,
      ...settings,
      sessions: 10_000,
      load: { kind: 'closed', cells: [{ op: 'mixed', inFlight: 1 }], macrotask: false },
    }
    return { round, job, result: found(job, opsPerSecond) }
  }
  return [...ours.map(run('memory')), ...theirs.map(run('keyv'))]
}

function verdictOf(ours: readonly number[], theirs: readonly number[], one: Gate = gate) {
  return judge(one, { runs: runsOf(ours, theirs), failures: [], known })
}

test('a gate holds at its bar, and its ratios are those of each round', () => {
  expect(verdictOf([1_000, 20, 10], [100, 1, 1])).toMatchObject({ verdict: 'holds', spread: { median: 10, min: 10, max: 20 } })
})

test('a median below the bar falls short, unless a quarter of the rounds reached it', () => {
  expect(verdictOf([9, 9, 9, 9, 11], [1, 1, 1, 1, 1])).toMatchObject({ verdict: 'falls short' })
  expect(verdictOf([9, 9, 9, 10, 11], [1, 1, 1, 1, 1])).toMatchObject({ verdict: 'within the noise' })
})

test('a bar from above is judged the other way round', () => {
  const atMost = { ...gate, bar: { atMost: 10 } }
  expect(verdictOf([9, 10, 30], [1, 1, 1], atMost)).toMatchObject({ verdict: 'holds' })
  expect(verdictOf([9, 9, 12, 12, 12], [1, 1, 1, 1, 1], atMost)).toMatchObject({ verdict: 'within the noise' })
  expect(verdictOf([12, 12, 12], [1, 1, 1], atMost)).toMatchObject({ verdict: 'falls short' })
})

test('a difference is of figures of the same round', () => {
  const more = { ...gate, beside: { who: 'keyv', by: 'difference' }, bar: { atMost: 3 } } satisfies Gate
  expect(verdictOf([103, 3], [100, 0], more)).toMatchObject({ verdict: 'holds', spread: { median: 3 } })
})

test('rounds that only one of both has been through do not count', () => {
  expect(verdictOf([10, 1], [1])).toMatchObject({ verdict: 'holds', spread: { min: 10, max: 10 } })
})

test('a gate without figures is not run, and says why; it never passes', () => {
  const none = { runs: [], failures: [], known }
  expect(judge(gate, none)).toMatchObject({ verdict: 'not run', reason: 'not asked for' })
  expect(judge({ ...gate, who: 'tape' }, none)).toMatchObject({ verdict: 'not run', reason: 'there is no tape yet' })
  const [run] = runsOf([1], [])
  if (run === undefined) throw new Error('no run')
  const failures = [{ round: 0, job: run.job, reason: 'Error: it broke\n    at here', isHere: true }]
  expect(judge(gate, { ...none, failures })).toMatchObject({ verdict: 'not run', reason: 'memory: Error: it broke' })
  expect(passes([judge(gate, none)])).toBe(false)
})

test('a check passes with some gates judged and none that falls short', () => {
  const holding = verdictOf([10], [1])
  const short = verdictOf([1], [1])
  const notRun = judge({ ...gate, who: 'tape' }, { runs: [], failures: [], known })
  expect(passes([holding, notRun])).toBe(true)
  expect(passes([holding, short])).toBe(false)
  expect(gateTable([holding, short, notRun]).split('\n').at(-1)).toBe('1 holds, 0 within the noise, 1 falls short, 1 not run')
})

test('what is measured for the gates is enough to judge each of them', () => {
  const runs = jobsForGates(gates, known, settings).map((job) => ({ round: 0, job, result: found(job, 1) }))
  const judged = gates.map((one) => judge(one, { runs, failures: [], known }))
  expect(judged.filter(({ verdict }) => verdict === 'not run')).toEqual([])
})

test('no process measures the same twice, and none measures what no gate asks for', () => {
  const cells = jobsForGates(gates, known, settings).flatMap(({ contestant, sessions, load }) =>
    load.kind === 'closed' ? load.cells.map(({ op, inFlight }) => `${contestant} ${sessions} ${op} ${inFlight}`) : [],
  )
  expect(new Set(cells).size).toBe(cells.length)
  expect(jobsForGates([gate], known, settings).map(({ contestant }) => contestant)).toEqual(['memory', 'keyv'])
})

test('every contestant has a name of its own, and stands beside one of ours', () => {
  expect(new Set(known).size).toBe(known.length)
  for (const { beside } of contestants) if (beside !== undefined) expect(contestantNamed(beside)).toMatchObject({ name: beside })
  for (const { beside } of contestants) if (beside !== undefined) expect(contestantNamed(beside)?.beside).toBeUndefined()
})
