import { describe, expect, it } from 'vitest'
import { deletefinal } from '../src/deletefinal.ts'
import { tryHarness } from './trial.ts'

describe('torture deletefinal', { timeout: 120_000 }, () => {
  it('finds nothing in a hundred sessions on sqlite', async () => {
    const { tried, bad, measured } = await tryHarness(deletefinal({ processes: 3 }), { tries: 100 })
    expect(bad).toEqual([])
    expect(tried).toBe(100)
    // Otherwise nobody was there to be in the way of an end.
    expect(measured?.['calls']).toBeGreaterThan(3_000)
  })

  it.each(['redis', 'postgres'])('finds nothing in twenty sessions on %s', async (backend) => {
    const { tried, bad } = await tryHarness(deletefinal({ processes: 2 }), { backend, tries: 20 })
    expect(bad).toEqual([])
    expect(tried).toBe(20)
  })

  it.each([
    ['inserts', /: (it is there after all calls have ended|\w+ found it \d+\.\d ms after its end)$/],
    ['reads-first', /: (it is there after all calls have ended|\w+ found it \d+\.\d ms after its end)$/],
    ['expires', /^after \d+ sessions the engine still holds \d+ rows of mcp_session$/],
    ['always-there', /: 2 of its enders were told that it was there$/],
  ])('finds the planted bug %s', async (plant, what) => {
    const { bad } = await tryHarness(deletefinal({ processes: 1, plant }), { tries: 40 })
    expect(bad.filter((one) => what.test(one))).not.toEqual([])
  })
})
