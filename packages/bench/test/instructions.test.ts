import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type CountedCalls, countCalls } from '../src/instructions/counted-calls.ts'
import { hotPaths, type PathName, pathNames } from '../src/instructions/hot-paths.ts'
import { judgePaths } from '../src/instructions/judge.ts'
import { type InstructionGates, instructionGates } from '../src/sessions/instruction-gates.ts'
import { bench, benchWithPath } from './bench.ts'

const gates: InstructionGates = { major: 20, arch: 'x64', margin: 0.1, measured: { ...instructionGates.measured, retrieve: 1_000 } }
const platform = { major: 20, arch: 'x64' }

function verdictOf(counts: readonly number[], on = platform) {
  return judgePaths(new Map([['retrieve', counts]] as const), on, gates)[0]
}

test('a path holds with as many instructions as its bar, and is over it with one more', () => {
  expect(verdictOf([1_100])).toMatchObject({ path: 'retrieve', bar: 1_100, verdict: 'holds' })
  expect(verdictOf([700])).toMatchObject({ verdict: 'holds' })
  expect(verdictOf([1_101])).toMatchObject({ verdict: 'over its bar' })
})

test('of several rounds the median is judged', () => {
  expect(verdictOf([900, 1_100, 5_000])).toMatchObject({ median: 1_100, min: 900, max: 5_000, verdict: 'holds' })
  expect(verdictOf([900, 1_101, 5_000])).toMatchObject({ verdict: 'over its bar' })
})

test.each([Number.NaN, 0, -1])('%s instructions are over every bar: nothing was counted', (count) => {
  expect(verdictOf([count])).toMatchObject({ verdict: 'over its bar' })
})

test.each([{ major: 22 }, { arch: 'arm64' }])('on another Node or processor nothing is judged: %o', (other) => {
  const judged = verdictOf([9_999], { ...platform, ...other })
  expect(judged).toMatchObject({ median: 9_999, verdict: 'not judged' })
  expect(judged).not.toHaveProperty('bar')
})

test('what a process does besides the counted calls is not counted', async () => {
  const costs: Record<PathName, number> = {
    'create-delete': 9,
    update: 7,
    'cold-retrieve': 5,
    'retrieve-by-owner': 3,
    touch: 2,
    retrieve: 1,
  }
  const counter = {
    name: 'cachegrind' as const,
    count: async (_script: string, [path, calls]: readonly string[]) => 1e9 + costs[path as PathName] * Number(calls),
  }
  const counts: CountedCalls = await countCalls({ counter, script: 'caller.mjs', paths: pathNames, rounds: 2 })
  expect(Object.fromEntries(counts)).toEqual(Object.fromEntries(pathNames.map((path) => [path, [costs[path], costs[path]]])))
  expect(Object.keys(instructionGates.measured).sort()).toEqual(Object.keys(hotPaths).sort())
})

test('a process that fails is no count', async () => {
  const counter = { name: 'cachegrind' as const, count: () => Promise.reject(new Error('exited with 1')) }
  await expect(countCalls({ counter, script: '', paths: ['touch'], rounds: 1 })).rejects.toThrow('exited with 1')
})

test('where nothing counts instructions the command says what to install, with exit code 2', async () => {
  const empty = await mkdtemp(join(tmpdir(), 'mcp-session-bench-test-'))
  try {
    await expect(benchWithPath(empty, 'instructions', '--unjudged')).rejects.toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('install valgrind'),
    })
  } finally {
    await rm(empty, { recursive: true, force: true })
  }
}, 60_000)

test('a path that there is not, and no number of rounds, are refused', async () => {
  await expect(bench('instructions', '--path', 'fly')).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('fly is none of') })
  await expect(bench('instructions', '--rounds', '0')).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('above 0') })
}, 60_000)
