import { describe, expect, it } from 'vitest'
import { failover } from '../src/failover.ts'
import { tryHarness } from './trial.ts'

// They mostly wait for servers.
describe.concurrent('torture failover', { timeout: 180_000 }, () => {
  it.each(['redis', 'postgres'])('loses nothing on %s where the replica has what is acknowledged', async (backend) => {
    const { tried, bad, measured } = await tryHarness(failover(), { backend, variant: 'sync', tries: 1 })
    expect(bad).toEqual([])
    expect({ tried, lost: measured?.['lost'] }).toEqual({ tried: 1, lost: 0 })
    // Otherwise nothing was at stake.
    expect(measured?.['acknowledged']).toBeGreaterThan(20)
  })

  it('finds that a pair does not keep what it is said to keep', async () => {
    // With this seed the primary is killed only after the replica was promoted.
    const { bad } = await tryHarness(failover({ plant: 'async' }), { backend: 'redis', variant: 'sync', tries: 1, seed: 10 })
    expect(bad.filter((one) => /^\d+ acknowledged writes of \d+ sessions are gone after the failover$/.test(one))).not.toEqual([])
  })
})
