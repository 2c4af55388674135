import { describe, expect, it } from 'vitest'
import { lin } from '../src/lin.ts'
import { tryHarness } from './trial.ts'

describe('torture lin', { timeout: 120_000 }, () => {
  it.each(['kill', 'stop'])('explains every history of processes on sqlite under %s', async (variant) => {
    const { tried, bad, measured } = await tryHarness(lin({ processes: 3, callsPerRound: 120 }), { variant, tries: 6_000 })
    expect(bad).toEqual([])
    expect(tried).toBeGreaterThanOrEqual(6_000)
    expect(measured?.['blows']).toBeGreaterThan(0)
  })

  it.each([
    ['redis', 'rst'],
    ['postgres', 'kill'],
  ])('explains every history on %s under %s', async (backend, variant) => {
    const { tried, bad, measured } = await tryHarness(lin({ processes: 2, callsPerRound: 120 }), { backend, variant, tries: 1_000 })
    expect(bad).toEqual([])
    expect(tried).toBeGreaterThanOrEqual(1_000)
    expect(measured?.['blows']).toBeGreaterThan(0)
  })

  it.each([
    ['stale', /: (an older rev was seen after a newer one|no order of these calls explains their answers):\n/],
    ['drops', /: (no order of these calls explains their answers|rev \S+ was replaced twice):\n/],
    ['check-then-set', /: (no order of these calls explains their answers|rev \S+ was replaced twice):\n/],
    ['inserts', /: no order of these calls explains their answers:\n/],
    ['says-none', /: rev \S+ was shown, and nobody wrote it:\n/],
    ['untyped', /^touch failed with none of classify, outcome unknown: Error: planted$/],
  ])('finds the planted bug %s', async (plant, what) => {
    const { bad } = await tryHarness(lin({ processes: 1, callsPerRound: 120, plant }), { variant: 'calm', tries: 4_000 })
    expect(bad.filter((one) => what.test(one))).not.toEqual([])
  })
})
