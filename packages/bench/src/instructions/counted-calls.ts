import { availableParallelism } from 'node:os'
import type { Counter } from './counter.ts'
import { hotPaths, type PathName } from './hot-paths.ts'

/** Of each path and round: the instructions of one call. */
export type CountedCalls = ReadonlyMap<PathName, readonly number[]>

export interface CountOptions {
  readonly counter: Counter
  readonly script: string
  readonly paths: readonly PathName[]
  readonly rounds: number
}

/** Two processes of each path that differ in the counted calls alone: start, filling and warm-up cancel out. */
export async function countCalls({ counter, script, paths, rounds }: CountOptions): Promise<CountedCalls> {
  const counts = new Map<PathName, number[]>(paths.map((path) => [path, []]))
  const wanted = Array.from({ length: rounds }, () =>
    paths.flatMap((path) => [
      { path, long: true },
      { path, long: false },
    ]),
  ).flat()
  const left = wanted.map(({ path, long }, n) => async () => {
    const { warmUp, counted } = hotPaths[path]
    const instructions = await counter.count(script, [path, String(long ? warmUp + counted : warmUp)])
    const round = Math.floor(n / (2 * paths.length))
    const perCall = counts.get(path) ?? []
    perCall[round] = (perCall[round] ?? 0) + (long ? instructions : -instructions) / counted
  })
  await inPairs(left)
  return counts
}

/** Two at a time where there are two cores: a count does not depend on what else runs. */
async function inPairs(left: (() => Promise<void>)[]): Promise<void> {
  async function worker(): Promise<void> {
    for (let next = left.shift(); next !== undefined; next = left.shift()) await next()
  }
  await Promise.all(Array.from({ length: Math.min(2, availableParallelism()) }, worker))
}
