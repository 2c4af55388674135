import { afterAll, describe, expect, it } from 'vitest'
import { lawsOf } from '../src/case.ts'
import { allCases } from '../src/cases/index.ts'
import { runCase } from '../src/run-case.ts'
import { plants } from './planted/index.ts'
import { harness } from './processes/harness.ts'
import { lagging } from './processes/lagging.ts'

afterAll(() => {
  delete process.env['KIT_PROCESS_BUG']
})

describe('a case with several processes, on SQLite, finds the bug', () => {
  it.each([
    ['processes/count-together', 'replace/checks-and-then-sets'],
    ['processes/one-creator-wins', 'create/checks-and-then-sets'],
    ['processes/delete-is-final', 'delete/in-a-race-a-replace-wins-late'],
    ['processes/appends-share-one-count', 'events/each-node-counts-from-one'],
    ['processes/exit-by-themselves-after-close', 'lifecycle/leaves-a-timer-that-holds-the-process'],
    ['linearizability/processes', 'replace/checks-and-then-sets'],
    ['list/cursors-work-in-another-process', 'list/cursors-are-known-to-one-node-only'],
    ['signals/reach-another-process', 'signals/only-to-the-own-node'],
    ['durability/acknowledged-writes-survive-kill', 'durability/lags-behind-with-writes'],
    ['durability/acknowledged-events-survive-kill', 'durability/lags-behind-with-events'],
    ['durability/deletes-survive-kill', 'delete/lags-behind'],
  ])('%s: %s', { timeout: 60_000 }, async (id, bug) => {
    const subject = allCases.find((candidate) => candidate.id === id)
    const plant = [...plants, ...lagging].find((candidate) => candidate.id === bug)
    if (subject === undefined || plant === undefined) throw new Error(`no case ${id}, or no bug ${bug}`)
    process.env['KIT_PROCESS_BUG'] = bug
    const failure = await runCase({ ...subject, boundMs: 6_000 }, harness, 1)
    expect(failure, `${id} does not find ${bug}`).toBeDefined()
    expect(lawsOf(subject)).toContain(plant.law)
  })
})
