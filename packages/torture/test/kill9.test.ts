import { describe, expect, it } from 'vitest'
import { kill9 } from '../src/kill9.ts'
import { tryHarness } from './trial.ts'

describe('torture kill9', { timeout: 120_000 }, () => {
  it.each(['file', 'sqlite', 'leveldb'])('finds nothing lost on %s', async (backend) => {
    const { tried, bad, measured } = await tryHarness(kill9(), { backend, tries: 3 })
    expect(bad).toEqual([])
    expect(tried).toBe(3)
    // Otherwise the kills came before there was anything to lose.
    expect(measured?.['acknowledged']).toBeGreaterThan(100)
  })

  it.each([
    ['early', /^kill \d: s_\d+ is .*; acknowledged was /],
    ['stale', /^kill \d: (s_\w+ is .*; acknowledged was |the store does not open)/],
  ])('finds the planted bug %s', async (plant, what) => {
    const { bad } = await tryHarness(kill9(plant), { backend: 'file', tries: 3 })
    expect(bad.filter((one) => what.test(one))).not.toEqual([])
  })
})
