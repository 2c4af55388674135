import { describe, expect, it } from 'vitest'
import { iofault } from '../src/iofault.ts'
import { tryHarness } from './trial.ts'

describe('torture iofault', { timeout: 120_000 }, () => {
  it('finds nothing lost where a disk in memory fails', async () => {
    const { tried, bad, measured } = await tryHarness(iofault(), { variant: 'in-process', tries: 60 })
    expect(bad).toEqual([])
    expect(tried).toBe(60)
    expect(measured?.['refused']).toBeGreaterThan(60)
  })

  it.each(['deaf-sync', 'deaf-write', 'nameless', 'stuck'])('finds the planted bug %s', async (plant) => {
    const { bad } = await tryHarness(iofault(plant), { variant: 'in-process', tries: 12 })
    expect(bad).not.toEqual([])
  })
})
