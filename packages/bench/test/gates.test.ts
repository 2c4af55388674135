import { expect, test } from 'vitest'
import { contestantNamed, contestants } from '../src/sessions/contestants.ts'
import { jobsForGates } from '../src/sessions/gate-jobs.ts'
import { verdictsCounted } from '../src/sessions/gate-table.ts'
import { type Gate, gates } from '../src/sessions/gates.ts'
import type { Job } from '../src/sessions/job.ts'
import { judge, judgesAny, passes } from '../src/sessions/judge.ts'
import type { Run } from '../src/sessions/rounds.ts'
import { madeUpResult } from './made-up-figures.ts'

const known = contestants.map(({ name }) => name)
const settings = { seconds: 1, warmUpSeconds: 1, seed: 1 }

const gate: Gate = {
  who: 'memory',
  measure: { figure: 'ops/s', op: 'mixed', inFlight: 1, sessions: 10_000 },
  beside: { who: 'keyv', by: 'ratio' },
  bar: { atLeast: 10 },
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
    return { round, job, result: madeUpResult(job, opsPerSecond) }
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
  expect(judgesAny([short, notRun])).toBe(true)
  expect(judgesAny([notRun])).toBe(false)
  expect(verdictsCounted([holding, short, notRun])).toBe('1 holds, 0 within the noise, 1 falls short, 1 not run')
})

test('what is measured for the gates is enough to judge each of them', () => {
  const runs = jobsForGates(gates, known, settings).map((job) => ({ round: 0, job, result: madeUpResult(job, 1) }))
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
