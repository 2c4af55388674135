import { describe, expect, it } from 'vitest'
import { lock } from '../src/lock.ts'
import { tryHarness } from './trial.ts'

describe('torture lock', { timeout: 120_000 }, () => {
  it.each(['file', 'leveldb'])('finds no second owner on %s', async (backend) => {
    const { tried, bad, measured } = await tryHarness(lock(), { backend, tries: 10 })
    expect(bad).toEqual([])
    expect(tried).toBe(10)
    expect(measured).toMatchObject({ inThisProcess: 3, inWorkers: 2, inProcesses: 2, afterKills: 3 })
  })

  it('finds the planted bug no-lock', async () => {
    const { bad } = await tryHarness(lock('no-lock'), { backend: 'file', tries: 10 })
    expect(bad).toContain('try 1, inThisProcess: the store has two owners')
  })
})
