import { describe, expect, it } from 'vitest'
import { enospc } from '../src/enospc.ts'
import { NotRun } from '../src/harness.ts'
import { tryHarness } from './trial.ts'

describe('torture enospc', { timeout: 120_000 }, () => {
  it.for(['file', 'sqlite', 'leveldb'])('finds nothing lost on %s', async (backend, { skip }) => {
    const ran = await tryHarness(enospc(), { backend, tries: 1 }).catch((error: unknown) => {
      if (error instanceof NotRun) return skip(error.message)
      throw error
    })
    expect(ran.bad).toEqual([])
    expect(ran.measured?.['acknowledged']).toBeGreaterThan(100)
    expect(ran.measured?.['refused']).toBeGreaterThan(0)
  })

  it('finds the planted bug early-create', async ({ skip }) => {
    const ran = await tryHarness(enospc('early-create'), { backend: 'file', tries: 1 }).catch((error: unknown) => {
      if (error instanceof NotRun) return skip(error.message)
      throw error
    })
    expect(ran.bad).not.toEqual([])
  })
})
