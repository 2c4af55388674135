import { describe, expect, it } from 'vitest'
import { counter } from '../src/counter.ts'
import { tryHarness } from './trial.ts'

describe('torture counter', { timeout: 120_000 }, () => {
  it('counts exactly on sqlite', async () => {
    const { tried, bad, measured } = await tryHarness(counter({ processes: 4 }), { tries: 800 })
    expect(bad).toEqual([])
    expect({ tried, total: measured?.['total'] }).toEqual({ tried: 800, total: 800 })
    // Otherwise nobody got into anybody's way.
    expect(measured?.['conflicts']).toBeGreaterThan(0)
  })

  it.each(['redis', 'postgres'])('counts exactly on %s', async (backend) => {
    const { bad, measured } = await tryHarness(counter({ processes: 2 }), { backend, tries: 100 })
    expect(bad).toEqual([])
    expect(measured?.['total']).toBe(100)
  })

  it('makes no addition twice where the replies of a redis get lost', async () => {
    const { bad, measured } = await tryHarness(counter({ processes: 2 }), { backend: 'redis', variant: 'lost', tries: 1_000 })
    expect(bad).toEqual([])
    expect(measured?.['blows']).toBeGreaterThan(0)
  })

  it.each([
    ['reread', /^p\d was told of \d+ additions, and of 0 that may have been made; the session has \d+ of them$/],
    ['again', /^p\d was told of \d+ additions, and of 0 that may have been made; the session has \d+ of them$/],
  ])('finds the planted bug %s', async (plant, what) => {
    const { bad } = await tryHarness(counter({ processes: 2, plant }), { tries: 400 })
    expect(bad.filter((one) => what.test(one))).not.toEqual([])
  })
})
