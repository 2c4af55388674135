import { describe, expect, it } from 'vitest'
import { powercut } from '../src/powercut.ts'
import { tryHarness } from './trial.ts'

describe('torture powercut on a disk in memory', { timeout: 120_000 }, () => {
  it.each(['twin', 'twin-relaxed'])('finds nothing wrong in any state of %s', async (variant) => {
    const { tried, bad, measured } = await tryHarness(powercut(), { variant, tries: 800 })
    expect(bad).toEqual([])
    expect(tried).toBeGreaterThanOrEqual(800)
    expect(measured?.['inRecovery']).toBeGreaterThan(20)
  })

  it.each([
    ['no-sync', /acknowledged was|does not open/],
    ['no-folder-sync', /acknowledged was|does not open/],
    ['overwrites', /acknowledged was|does not open/],
    ['early', /acknowledged was/],
  ])('finds the planted bug %s', async (plant, what) => {
    const { bad } = await tryHarness(powercut(plant), { variant: 'twin', tries: 300 })
    expect(bad.filter((one) => what.test(one))).not.toEqual([])
  })

  it('finds that a relaxed store never syncs', async () => {
    const { bad } = await tryHarness(powercut('no-sync'), { variant: 'twin-relaxed', tries: 300 })
    expect(bad.filter((one) => /older writes than those of its window are gone|does not open/.test(one))).not.toEqual([])
  })
})
