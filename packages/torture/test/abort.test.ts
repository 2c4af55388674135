import { describe, expect, it } from 'vitest'
import { abort } from '../src/abort.ts'
import { tryHarness } from './trial.ts'

describe('torture abort', { timeout: 60_000 }, () => {
  it.each(['memory', 'sqlite', 'redis', 'postgres'])('finds nothing in thousands of calls on %s', async (backend) => {
    const { tried, bad, measured } = await tryHarness(abort(), { backend, tries: 4_000 })
    expect(bad).toEqual([])
    expect(tried).toBe(4_000)
    expect(measured?.['aborted']).toBeGreaterThan(500)
  })

  it.each([
    ['shifted', /^get on s_abort-\d+ answered with s_abort-\d+$/],
    ['told-as-done', /^s_abort-\d+: \d+ additions were acknowledged and \d+ are unknown; it has \d+$/],
    ['own-reason', /^touch of the backend on s_abort-\d+ \(aborted [\w ]+\) rejects with Error: aborted$/],
  ])('finds the planted bug %s', async (plant, what) => {
    const { bad } = await tryHarness(abort(plant), { backend: 'memory', tries: 4_000 })
    expect(bad.filter((one) => what.test(one))).not.toEqual([])
  })
})
