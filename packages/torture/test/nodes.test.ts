import { describe, expect, it } from 'vitest'
import { torture } from './command.ts'

describe('torture nodes', { timeout: 180_000 }, () => {
  it.each([
    ['round-robin', 4, 4],
    ['requests-to-a', 10, 10],
    ['requests-to-b-deaf', 10, 10],
    ['random', 2, 20],
  ])('finds nothing where the routing is %s', async (variant, tries, tried) => {
    const { code, lines, stderr } = await torture(['nodes', '--variant', variant, '--tries', String(tries)])
    expect(stderr).toBe('')
    expect(code).toBe(0)
    expect(lines).toEqual([expect.objectContaining({ name: 'nodes', variant, backend: 'sqlite', tried, bad: 0 })])
    expect(lines[0]).toHaveProperty(variant === 'round-robin' ? 'callMsP50' : 'elicitationMsP50')
  })

  it.each([
    ['redis', 'round-robin', 2],
    ['postgres', 'requests-to-b', 4],
  ])('finds nothing on %s where the routing is %s', async (backend, variant, tries) => {
    const { code, lines, stderr } = await torture(['nodes', '--backend', backend, '--variant', variant, '--tries', String(tries)])
    expect(stderr).toBe('')
    expect(code).toBe(0)
    expect(lines).toEqual([expect.objectContaining({ name: 'nodes', variant, backend, tried: tries, bad: 0 })])
  })

  it.each([
    ['reread', 'round-robin', 'sqlite', 2, /round \d+, client-v\d: counted /],
    ['lost-news', 'round-robin', 'redis', 1, /client-v\d: message \d\/\d+ was acknowledged and did not come/],
    ['local-answers', 'requests-to-a', 'postgres', 2, /elicitation \S+ of client-v\d on its .* stream had no answer within \d+ ms/],
    ['crossed', 'requests-to-b', 'sqlite', 4, /elicitation (\S+) of (client-v\d) on its .* stream was answered: (?!accept \2 heard \1)/],
  ])('finds the planted bug %s where the routing is %s, on %s', async (plant, variant, backend, tries, what) => {
    const args = ['nodes', '--backend', backend, '--variant', variant, '--tries', String(tries)]
    const { code, lines, stderr } = await torture(args, { TORTURE_PLANT: plant })
    expect(stderr).toMatch(what)
    expect(code).toBe(1)
    expect(lines[0]?.['bad']).toBeGreaterThan(0)
    expect(stderr).toContain(`BAD nodes --variant ${variant} --backend ${backend} --seed ${lines[0]?.['seed']}: `)
  })
})
