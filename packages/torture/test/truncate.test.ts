import { describe, expect, it } from 'vitest'
import { truncate } from '../src/truncate.ts'
import { tryHarness } from './trial.ts'

describe('torture truncate', { timeout: 120_000 }, () => {
  it('finds the longest whole prefix at each of the last bytes of a log', async () => {
    const { tried, bad, measured } = await tryHarness(truncate(), { tries: 40 })
    expect(bad).toEqual([])
    expect({ tried, writes: measured?.['writes'] }).toEqual({ tried: 40, writes: 24 })
  })

  it('finds the planted bug short-reads', async () => {
    const { bad } = await tryHarness(truncate('short-reads'), { tries: 2 })
    expect(bad).not.toEqual([])
  })
})
