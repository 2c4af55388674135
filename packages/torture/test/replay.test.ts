import { expect, test } from 'vitest'
import { seededRandom } from '../src/random.ts'
import { replay } from '../src/replay.ts'
import { torture } from './command.ts'
import { replayPlants } from './replay-plants.ts'

/** The violations that a run finds. */
async function violations(backend: string, tries: number, alter?: Parameters<typeof replay>[0]): Promise<string[]> {
  const found: string[] = []
  const seed = 2_026
  const { tried } = await replay(alter).run({
    backend,
    variant: 'v1+v2',
    seed,
    random: seededRandom(seed),
    tries,
    isOver: () => false,
    progress() {},
    bad: (what) => found.push(what),
  })
  expect(tried).toBe(tries)
  return found
}

test('on memory every resume of 1,000 histories gives just the later messages of its stream, in order', async () => {
  expect(await violations('memory', 1_000)).toEqual([])
}, 120_000)

test.each(['sqlite', 'redis', 'postgres'])(
  'on %s every resume of 300 histories gives just the later messages of its stream, in order',
  async (backend) => {
    expect(await violations(backend, 300)).toEqual([])
  },
  120_000,
)

test.each(Object.entries(replayPlants))(
  'a replay that %s is found',
  async (_, plant) => {
    const found = await violations('memory', 40, plant)
    expect(found.length).toBeGreaterThan(0)
    expect(found.every((what) => /^history \d+ \(lane \d+\): /.test(what))).toBe(true)
  },
  60_000,
)

test('the same seed gives the same course', async () => {
  const [one, other] = [
    await violations('memory', 60, replayPlants['loses an event']),
    await violations('memory', 60, replayPlants['loses an event']),
  ]
  expect(one.length).toBeGreaterThan(0)
  expect(other.toSorted()).toEqual(one.toSorted())
}, 60_000)

test('the command line runs the histories of a budget, and prints their number', async () => {
  const { code, lines, stderr } = await torture(['replay', '--tries', '40', '--backend', 'memory', '--seed', '7'])
  expect(stderr).toBe('')
  expect(lines).toEqual([
    { name: 'replay', variant: 'v1+v2', backend: 'memory', tried: 40, bad: 0, seed: 7, seconds: expect.any(Number), sessions: 1_000 },
  ])
  expect(code).toBe(0)
}, 60_000)
