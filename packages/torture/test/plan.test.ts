import { describe, expect, it } from 'vitest'
import type { Harness } from '../src/harness.ts'
import { type PlanRequest, planRuns } from '../src/plan.ts'

const run: Harness['run'] = async () => ({ tried: 1 })
const kept: readonly Harness[] = [
  { name: 'kills', about: '', backends: ['sqlite', 'redis'], variants: ['a', 'b'], tries: 1, run },
  { name: 'nodes', about: '', backends: ['sqlite'], variants: ['c'], tries: 1, run },
]
const plan = (request: PlanRequest) =>
  planRuns(kept, request).map(({ harness, variant, backend, notRun }) => [harness.name, variant, backend, notRun])

describe('planRuns', () => {
  it('makes one run per variant, on the first backend', () => {
    expect(plan({ name: 'kills' })).toEqual([
      ['kills', 'a', 'sqlite', undefined],
      ['kills', 'b', 'sqlite', undefined],
    ])
  })

  it('makes the one that is asked for', () => {
    expect(plan({ name: 'kills', variant: 'b', backend: 'redis' })).toEqual([['kills', 'b', 'redis', undefined]])
  })

  it('makes all of all, and says which of them a backend excludes', () => {
    expect(plan({ name: 'all', backend: 'redis' })).toEqual([
      ['kills', 'a', 'redis', undefined],
      ['kills', 'b', 'redis', undefined],
      ['nodes', 'c', 'redis', 'nodes does not run on redis'],
    ])
  })

  it.each<[PlanRequest, string]>([
    [{ name: 'kill' }, "no harness is called 'kill': it is one of kills, nodes, or all"],
    [{ name: 'nodes', backend: 'redis' }, "--backend of nodes is one of sqlite, not 'redis'"],
    [{ name: 'all', backend: 'disk' }, "--backend is one of sqlite, redis, not 'disk'"],
    [{ name: 'kills', variant: 'c' }, "--variant of kills is one of a, b, not 'c'"],
    [{ name: 'all', variant: 'a' }, '--variant belongs to one harness, not to all'],
  ])('refuses %j', (request, message) => {
    expect(() => planRuns(kept, request)).toThrow(new RangeError(message))
  })
})
