import { describe, expect, it } from 'vitest'
import { NotRun } from '../src/harness.ts'
import { iofault } from '../src/iofault.ts'
import { type Tried, tryHarness } from './trial.ts'

describe('torture iofault', { timeout: 120_000 }, () => {
  it('finds nothing lost where a disk in memory fails', async () => {
    const { tried, bad, measured } = await tryHarness(iofault(), { variant: 'in-process', tries: 40 })
    expect(bad).toEqual([])
    expect(tried).toBe(40)
    expect(measured?.['refused']).toBeGreaterThan(40)
  })

  it.for(['file', 'sqlite', 'leveldb'])('finds nothing lost where calls of a process on %s fail', async (backend, { skip }) => {
    // LevelDB loses a log that it cannot open: a limit that its README names.
    const calls = backend === 'leveldb' ? ['write', 'fsync', 'fdatasync', 'rename'] : undefined
    const ran = await tryUnlessNotRun(iofault(undefined, calls), { backend, variant: 'strace', tries: 4 })
    if (typeof ran === 'string') return skip(ran)
    expect(ran.bad).toEqual([])
    expect(ran.measured?.['hit']).toBeGreaterThan(2)
  })

  it('finds no write of leveldb that turns up later than it was read', async ({ skip }) => {
    const ran = await tryUnlessNotRun(iofault(undefined, ['fdatasync']), { backend: 'leveldb', variant: 'strace', tries: 4, seed: 5 })
    if (typeof ran === 'string') return skip(ran)
    expect(ran.bad).toEqual([])
  })

  it('finds a sync that fails under a process and is not heard', async ({ skip }) => {
    const ran = await tryUnlessNotRun(iofault('deaf-sync', ['fdatasync']), { variant: 'strace', tries: 4 })
    if (typeof ran === 'string') return skip(ran)
    expect(ran.bad).not.toEqual([])
  })

  it.each(['deaf-sync', 'deaf-write', 'nameless', 'stuck'])('finds the planted bug %s', async (plant) => {
    const { bad } = await tryHarness(iofault(plant), { variant: 'in-process', tries: 12 })
    expect(bad).not.toEqual([])
  })
})

/** Why it was not run, where it was not. */
async function tryUnlessNotRun(...args: Parameters<typeof tryHarness>): Promise<Tried | string> {
  try {
    return await tryHarness(...args)
  } catch (error) {
    if (error instanceof NotRun) return error.message
    throw error
  }
}
