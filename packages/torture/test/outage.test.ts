import { describe, expect, it } from 'vitest'
import { outage } from '../src/outage.ts'
import { tryHarness } from './trial.ts'

/** What is tried here is the harness: a second, and fewer calls. */
const short = { outageMs: 1_500, rate: 2_000 }

// They mostly wait: for the outage, and for what follows.
describe.concurrent('torture outage', { timeout: 120_000 }, () => {
  it('finds nothing where the lock of a file of sqlite is kept', async () => {
    const { tried, bad, measured } = await tryHarness(outage(short), { backend: 'sqlite', variant: 'stop', tries: 1 })
    expect(bad).toEqual([])
    expect(tried).toBe(1)
    // Otherwise it was no outage.
    expect(measured?.['failed LOCKED']).toBeGreaterThan(10)
    expect(measured?.['succeeded']).toBeGreaterThan(100)
  })

  it('finds nothing where a redis is stopped', async () => {
    const { bad, measured } = await tryHarness(outage(short), { backend: 'redis', variant: 'stop', tries: 1 })
    expect(bad).toEqual([])
    expect(measured?.['failed TIMEOUT']).toBeGreaterThan(10)
    expect(measured?.['failed OVERLOADED']).toBeGreaterThan(10)
  })

  it('finds that nothing bounds the calls that are open', async () => {
    const { bad } = await tryHarness(outage({ ...short, rate: 5_000, plant: 'unbounded' }), { backend: 'redis', variant: 'stop', tries: 1 })
    expect(bad.filter((one) => /^\d+ calls were open at once, more than \d+$/.test(one))).not.toEqual([])
  })

  it.each([
    ['hanging', /^\d+ calls never settled$/],
    ['unhandled', /^unhandled rejection: SessionError: /],
    ['deaf', /^no write has succeeded since the return$/],
  ])('finds the planted bug %s', async (plant, what) => {
    const { bad } = await tryHarness(outage({ ...short, plant }), { backend: 'sqlite', variant: 'stop', tries: 1 })
    expect(bad.filter((one) => what.test(one))).not.toEqual([])
  })
})
