import { describe, expect, it } from 'vitest'
import { bitflip } from '../src/bitflip.ts'
import { tryHarness } from './trial.ts'

describe('torture bitflip', { timeout: 120_000 }, () => {
  it.each(['closed', 'killed'])('finds each flip in a log that was %s reported, and nothing else lost', async (variant) => {
    const { tried, bad, measured } = await tryHarness(bitflip(), { variant, tries: 600 })
    expect(bad).toEqual([])
    expect(tried).toBe(600)
    expect(measured?.['frame']).toBeGreaterThan(200)
  })

  it.each(['no-payload-checksum', 'stop-at-first-bad'])('finds the planted bug %s', async (plant) => {
    const { bad } = await tryHarness(bitflip(plant), { tries: 40 })
    expect(bad).not.toEqual([])
  })
})
