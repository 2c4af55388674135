import type { SessionBackend } from '@mcp-session/core/backend'
import fc from 'fast-check'
import type { Case } from '../case.ts'
import type { LawId } from '../laws.ts'
import { type Command, commands, type Real, sweepAll } from '../model-commands.ts'
import { referenceModel } from '../reference-model.ts'
import type { Trial } from '../trial.ts'

const ofRecords: readonly LawId[] = [
  'expiry/expired-is-absent',
  'expiry/create-replaces-expired',
  'expiry/written-expired',
  'create/inserts-if-absent',
  'replace/compare-and-set',
  'replace/never-inserts',
  'replace/loser-gets-current',
  'replace/as-given',
  'touch/forward-only',
  'touch/only-its-rev',
  'touch/changes-nothing-else',
  'delete/is-final',
  'delete/says-what-was-there',
  'list/filters',
  'list/headers',
  'sweep/only-expired',
]

const ofEvents: readonly LawId[] = [
  'delete/removes-events',
  'events/sequence',
  'events/idempotent',
  'events/needs-live-session',
  'events/read',
  'events/retention',
  'events/trimmed',
]

export const modelCases: readonly Case[] = [
  {
    id: 'model/records-one-call-after-the-other',
    law: ofRecords,
    boundMs: 60_000,
    run: (t) => check(t, commands(false, false), 60),
  },
  {
    id: 'model/events-one-call-after-the-other',
    law: [...ofRecords, ...ofEvents],
    requires: ['events'],
    boundMs: 60_000,
    run: (t) => check(t, commands(true, false), 60),
  },
  {
    id: 'model/across-reopen',
    law: ['lifecycle/reopen', 'durability/acknowledged'],
    requires: ['durable'],
    boundMs: 60_000,
    run: (t) => check(t, commands(t.backend.events !== undefined, true), 20),
  },
]

/**
 * Runs sequences of commands on the backend and on the model beside each other; fast-check shortens one that fails. `size: 'max'` is
 * needed: with the default size `maxCommands` gives lists too short to find what takes five steps (measured, a bug lived through 3,000 runs).
 */
async function check(t: Trial, kinds: fc.Arbitrary<Command>[], numRuns: number): Promise<void> {
  const reopens = reopener(t)
  let calls = t.on(t.backend, '')
  let runs = 0
  const property = fc.asyncProperty(fc.commands(kinds, { maxCommands: 60, size: 'max' }), async (sequence) => {
    await clean(calls)
    t.history.clear()
    runs += 1
    const ids = ['a', 'A', 'b'].map((name) => `s_${runs}_${name}`)
    const real: Real = { t, clock: t.clock, ids, calls, reopen: reopens, writes: 0 }
    try {
      await fc.asyncModelRun(() => ({ model: referenceModel(), real }), sequence)
    } catch (error) {
      t.history.keep()
      throw error
    } finally {
      calls = real.calls
    }
  })
  await fc.assert(property, { seed: t.seed, numRuns })
}

/** A run begins on an empty store; the clock goes on, so nothing of the run before can come back. */
async function clean(calls: Real['calls']): Promise<void> {
  await sweepAll(calls)
  for (const { id } of await calls.listAll({ data: false })) await calls.delete(id)
}

function reopener(t: Trial): () => Promise<Real['calls']> {
  let current: SessionBackend = t.backend
  return async () => {
    await current.close()
    current = await t.another()
    return t.on(current, '')
  }
}
