import { describe, expect, it } from 'vitest'
import { soak } from '../src/soak.ts'
import { tryHarness } from './trial.ts'

describe('torture soak', { timeout: 120_000 }, () => {
  it.each(['file', 'sqlite', 'leveldb', 'memory'])('finds nothing wrong or grown on %s', async (backend) => {
    const { tried, bad, measured } = await tryHarness(soak(), { backend, tries: 3 })
    expect(bad).toEqual([])
    expect(tried).toBe(3)
    expect(measured?.['calls']).toBeGreaterThan(5_000)
  })

  it.each([
    ['file', 'late-sweep', /a sweep deleted|after a sweep/],
    ['file', 'kept-segments', /bytes of files/],
    ['file', 'open-files', /descriptors are open/],
    ['memory', 'hoarding', /the heap has grown/],
  ])('finds on %s the planted bug %s', async (backend, plant, what) => {
    const { bad } = await tryHarness(soak(plant), { backend, tries: 3 })
    expect(bad.filter((one) => what.test(one))).not.toEqual([])
  })
})
