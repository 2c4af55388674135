import { describe, expect, it } from 'vitest'
import { crashpoints } from '../src/crashpoints.ts'
import { tryHarness } from './trial.ts'

describe('torture crashpoints', { timeout: 120_000 }, () => {
  it.each(['file', 'sqlite', 'leveldb'])('finds nothing lost on %s', async (backend) => {
    const { tried, bad, measured } = await tryHarness(crashpoints(), { backend, tries: 4 })
    expect(bad).toEqual([])
    expect(tried).toBe(4)
    expect(measured?.['killed']).toBeGreaterThan(2)
  })

  it('finds the planted bug in-place', async () => {
    const { bad } = await tryHarness(crashpoints({ plant: 'in-place', steps: 20, at: ['write'] }), { backend: 'file', tries: 6 })
    expect(bad).not.toEqual([])
  })
})
