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
    ['redis', 'v1-v2'],
    ['postgres', 'v2-v1'],
  ])('finds nothing where the server dies and its %s lives on, %s', async (backend, variant) => {
    const { code, lines, stderr } = await torture(['kills', '--backend', backend, '--variant', variant, '--tries', '2'])
    expect(stderr).toBe('')
    expect(code).toBe(0)
    expect(lines).toEqual([expect.objectContaining({ name: 'kills', variant, backend, tried: 2, bad: 0 })])
    expect(lines[0]?.['callsHit']).toBeGreaterThan(2)
  })

  it.each([
    ['volatile', 'sqlite', /the first call after the restart failed/],
    ['off-by-one', 'postgres', /message \d+\/\d+ was acknowledged and did not come/],
    ['early', 'redis', /message \d+\/\d+ was acknowledged and did not come/],
    ['twice', 'sqlite', /message \d+\/\d+ came twice/],
    ['swapped', 'sqlite', /message \d+\/\d+ came after \d+\/\d+/],
    ['hanging', 'sqlite', /call \S+ had no end within \d+ ms/],
  ])('finds the planted bug %s on %s, and says how to repeat the run', async (plant, backend, what) => {
    const args = ['kills', '--variant', 'v1-v1', '--backend', backend, '--tries', '3', '--seed', '7']
    const { code, lines, stderr } = await torture(args, { TORTURE_PLANT: plant })
    expect(stderr).toMatch(what)
    expect(code).toBe(1)
    expect(lines[0]?.['bad']).toBeGreaterThan(0)
    expect(stderr).toContain(`BAD kills --variant v1-v1 --backend ${backend} --seed 7: `)
  })
})
