import { describe, expect, it } from 'vitest'
import { torture } from './command.ts'

describe('torture kills', { timeout: 180_000 }, () => {
  it('finds nothing in ten kills that each wait for the stream, under a v1 client of a v2 server', async () => {
    const { code, lines, stderr } = await torture(['kills', '--variant', 'v1-v2', '--tries', '10', '--seed', '7'])
    expect(stderr).toBe('')
    expect(code).toBe(0)
    expect(lines).toEqual([expect.objectContaining({ name: 'kills', variant: 'v1-v2', backend: 'sqlite', tried: 10, bad: 0, seed: 7 })])
    expect(Object.keys(lines[0] ?? {}).slice(0, 7)).toEqual(['name', 'variant', 'backend', 'tried', 'bad', 'seed', 'seconds'])
    expect(lines[0]).toEqual(expect.objectContaining({ firstPostMsP50: expect.any(Number), getBackMsP95: expect.any(Number) }))
    // Otherwise nothing was at stake.
    expect(lines[0]?.['callsHit']).toBeGreaterThan(10)
    expect(lines[0]?.['messages']).toBeGreaterThan(100)
  })

  it('finds nothing in ten kills at any spacing, under a v2 client of a v1 server', async () => {
    const { code, lines, stderr } = await torture(['kills', '--variant', 'v2-v1-any', '--tries', '10'])
    expect(stderr).toBe('')
    expect(code).toBe(0)
    expect(lines[0]).toMatchObject({ variant: 'v2-v1-any', tried: 10, bad: 0, sessions: 2 })
  })

  it.each([
    ['volatile', /the first call after the restart failed/],
    ['off-by-one', /message \d+\/\d+ was acknowledged and did not come/],
    ['early', /message \d+\/\d+ was acknowledged and did not come/],
    ['twice', /message \d+\/\d+ came twice/],
    ['swapped', /message \d+\/\d+ came after \d+\/\d+/],
    ['hanging', /call \S+ had no end within \d+ ms/],
  ])('finds the planted bug %s, and says how to repeat the run', async (plant, what) => {
    const { code, lines, stderr } = await torture(['kills', '--variant', 'v1-v1', '--tries', '3', '--seed', '7'], { TORTURE_PLANT: plant })
    expect(stderr).toMatch(what)
    expect(code).toBe(1)
    expect(lines[0]?.['bad']).toBeGreaterThan(0)
    expect(stderr).toContain('BAD kills --variant v1-v1 --backend sqlite --seed 7: ')
  })
})
