import { describe, expect, it } from 'vitest'
import { rot } from '../src/rot.ts'
import { tryHarness } from './trial.ts'

describe('torture rot', { timeout: 120_000 }, () => {
  it.each([
    ['sqlite', 400],
    ['postgres', 150],
  ])('finds no wrong value on %s', async (backend, tries) => {
    const { tried, bad, measured } = await tryHarness(rot(), { backend, tries })
    expect(bad).toEqual([])
    expect(tried).toBe(tries)
    // Otherwise nothing that matters was changed.
    expect(measured?.['corrupt']).toBeGreaterThan(tries / 5)
  })

  it.each([
    ['unchecked', /^bit \d+ of mcp_session.data in row \d+: retrieve gives \{/],
    ['unchecked-events', /^bit \d+ of mcp_session_event.data in row \d+: read gives \{/],
  ])('finds the planted bug %s', async (plant, what) => {
    const { bad } = await tryHarness(rot(plant), { backend: 'sqlite', tries: 800 })
    expect(bad.filter((one) => what.test(one))).not.toEqual([])
  })
})
