import { describe, expect, it } from 'vitest'
import { NotRun } from '../src/harness.ts'
import { powercut } from '../src/powercut.ts'
import type { Ext4Bugs } from '../src/powercut-ext4.ts'
import { type Tried, tryHarness } from './trial.ts'

describe('torture powercut on a disk in memory', { timeout: 120_000 }, () => {
  it.each(['twin', 'twin-relaxed'])('finds nothing wrong in any state of %s', async (variant) => {
    const { tried, bad, measured } = await tryHarness(powercut(), { variant, tries: 40 })
    expect(bad).toEqual([])
    expect(tried).toBe(40)
    expect(measured?.['inRecovery']).toBeGreaterThan(20)
    expect(measured?.['compacted']).toBeGreaterThan(2)
  })

  it.each([
    ['no-sync', /acknowledged was|does not open/],
    ['no-folder-sync', /acknowledged was|does not open/],
    ['overwrites', /acknowledged was|does not open/],
    ['early', /acknowledged was/],
  ])('finds the planted bug %s', async (plant, what) => {
    const { bad } = await tryHarness(powercut({ plant }), { variant: 'twin', tries: 15 })
    expect(bad.filter((one) => what.test(one))).not.toEqual([])
  })

  it('finds that a relaxed store never syncs', async () => {
    const { bad } = await tryHarness(powercut({ plant: 'no-sync' }), { variant: 'twin-relaxed', tries: 15 })
    expect(bad.filter((one) => /older writes than those of its window are gone|does not open/.test(one))).not.toEqual([])
  })
})

describe('torture powercut on ext4', { timeout: 120_000 }, () => {
  it.for(['file', 'sqlite', 'leveldb'])('finds nothing lost on %s', async (backend, { skip }) => {
    const { tried, bad, measured } = await tryExt4({ backend, tries: 5 }, skip)
    expect(bad).toEqual([])
    expect(tried).toBe(5)
    expect(measured?.['acknowledged']).toBeGreaterThan(100)
  })

  it('finds the planted bug no-sync', async ({ skip }) => {
    const { bad } = await tryExt4({ backend: 'file', plant: 'no-sync', tries: 2 }, skip)
    expect(bad.filter((one) => /acknowledged was|does not open/.test(one))).not.toEqual([])
  })

  it.for(['sqlite', 'leveldb'])('finds that a relaxed %s loses what it acknowledged', async (backend, { skip }) => {
    const { bad } = await tryExt4({ backend, durable: false, tries: 2 }, skip)
    expect(bad.filter((one) => /acknowledged was|does not open/.test(one))).not.toEqual([])
  })
})

interface Ext4Try extends Ext4Bugs {
  readonly backend: string
  readonly tries: number
}

/** Skips the test where no image can be mounted. */
async function tryExt4({ backend, tries, ...bugs }: Ext4Try, skip: (why: string) => never): Promise<Tried> {
  try {
    return await tryHarness(powercut(bugs), { backend, variant: 'ext4', tries })
  } catch (error) {
    if (error instanceof NotRun) return skip(error.message)
    throw error
  }
}
