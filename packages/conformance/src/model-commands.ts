import assert from 'node:assert/strict'
import type { EventPage, SessionRecord } from '@mcp-session/core/backend'
import fc from 'fast-check'
import type { Calls } from './calls.ts'
import type { ManualClock } from './clock.ts'
import type { ReferenceModel } from './reference-model.ts'
import type { Trial } from './trial.ts'

/** The two sides of a run: both are asked the same. */
export interface Real {
  readonly t: Trial
  readonly clock: ManualClock
  /** The ids of this run. */
  readonly ids: readonly string[]
  calls: Calls
  /** Another backend object on the same store, after this one was closed. Absent: there is none. */
  readonly reopen: (() => Promise<Calls>) | undefined
  /** Revs and keys are counted, so that a run repeats. */
  writes: number
}

export type Command = fc.AsyncCommand<ReferenceModel, Real, false>

const slot = fc.nat(2)
const owner = fc.constantFrom(null, 'alice', 'bob')
const ttl = fc.constantFrom(0, 1, 2, 5, 10, 50, Number.POSITIVE_INFINITY)
const stream = fc.constantFrom('main', 'other', '!internal')
const bound = fc.constantFrom(0, 1, 2, 3, 20, Number.POSITIVE_INFINITY)
const asked = fc.constantFrom(['main'], ['other'], ['!internal', 'main'], undefined)
// The rev that is live, that of an id beside it, or one that never was.
const guess = fc.constantFrom('live', 'live', 'live', 'neighbour', 'never')

/** Commands for three ids with lifetimes of a few milliseconds, on a clock that moves a few at a time. */
export function commands(withEvents: boolean, withReopen: boolean): fc.Arbitrary<Command>[] {
  const records = [
    fc.tuple(slot, owner, ttl).map(create),
    slot.map(get),
    fc.tuple(slot, owner, ttl, guess).map(replace),
    fc.tuple(slot, guess, fc.integer({ min: -5, max: 20 }), fc.integer({ min: -5, max: 20 })).map(touch),
    fc.tuple(slot, fc.constantFrom(undefined, 'live', 'never')).map(remove),
    fc.tuple(fc.constantFrom(undefined, 'alice', 'bob'), fc.boolean(), fc.integer({ min: 1, max: 4 })).map(list),
    fc.constant(null).map(sweep),
    fc.constantFrom(1, 1, 2, 5, 9, 10, 50).map(advance),
  ]
  const events = [
    fc.tuple(slot, stream, fc.boolean(), bound, bound, bound).map(append),
    fc.tuple(slot, asked, fc.nat(6), bound, fc.integer({ min: 1, max: 4 })).map(read),
  ]
  return [...records, ...(withEvents ? events : []), ...(withReopen ? [fc.constant(null).map(reopen)] : [])]
}

function create([at, byOwner, ttlMs]: [number, string | null, number]): Command {
  return command(`create(#${at}, owner ${byOwner}, ttlMs ${ttlMs})`, async (model, real) => {
    const record = real.t.record({ id: idAt(real, at), rev: newRev(real), owner: byOwner, ttlMs, data: `${real.writes}` })
    assert.deepEqual(await real.calls.create(record), model.create(record, real.clock.now))
  })
}

function get(at: number): Command {
  return command(`get(#${at})`, async (model, real) => {
    assert.deepEqual(await real.calls.get(idAt(real, at)), model.get(idAt(real, at), real.clock.now))
  })
}

function replace([at, byOwner, ttlMs, guessed]: [number, string | null, number, string]): Command {
  return command(`replace(#${at}, owner ${byOwner}, ttlMs ${ttlMs}, rev ${guessed})`, async (model, real) => {
    const prevRev = revAt(model, real, at, guessed)
    const record = real.t.record({ id: idAt(real, at), rev: newRev(real), prevRev, owner: byOwner, ttlMs, data: `${real.writes}` })
    assert.deepEqual(await real.calls.replace(record, prevRev), model.replace(record, prevRev, real.clock.now))
  })
}

function touch([at, guessed, accessed, expires]: [number, string, number, number]): Command {
  return command(`touch(#${at}, rev ${guessed}, accessed ${accessed}, expires ${expires})`, async (model, real) => {
    const now = real.clock.now
    const request = { id: idAt(real, at), rev: revAt(model, real, at, guessed), lastAccessedAt: now + accessed, expiresAt: now + expires }
    assert.deepEqual(await real.calls.touch(request), model.touch(request, now))
  })
}

function remove([at, guessed]: [number, string | undefined]): Command {
  return command(`delete(#${at}, rev ${guessed})`, async (model, real) => {
    const expectedRev = guessed === undefined ? undefined : revAt(model, real, at, guessed)
    assert.deepEqual(await real.calls.delete(idAt(real, at), expectedRev), model.delete(idAt(real, at), expectedRev, real.clock.now))
  })
}

function list([byOwner, data, limit]: [string | undefined, boolean, number]): Command {
  return command(`list(owner ${byOwner}, data ${data}, limit ${limit})`, async (model, real) => {
    const query = { data, ...(byOwner === undefined ? {} : { owner: byOwner }) }
    const listed = new Map((await real.calls.listAll({ ...query, limit })).map((record) => [record.id, record]))
    const sorted = [...listed.values()].sort((a, b) => (a.id < b.id ? -1 : 1))
    assert.deepEqual(sorted, model.list(query, real.clock.now))
  })
}

function sweep(): Command {
  return command('deleteExpired until 0', async (model, real) => {
    assert.equal(await sweepAll(real.calls), model.sweep(real.clock.now))
  })
}

function advance(ms: number): Command {
  return command(`${ms} ms pass`, async (_, real) => real.clock.advance(ms))
}

function append([at, on, repeats, maxEvents, maxAgeMs, maxBytes]: [number, string, boolean, number, number, number]): Command {
  return command(
    `append(#${at}, ${on}, ${repeats ? 'key of the newest' : 'new key'}, ${maxEvents} events, ${maxAgeMs} ms, ${maxBytes} bytes)`,
    async (model, real) => {
      const id = idAt(real, at)
      const newest = model.read(id, { after: 0, maxAgeMs: Number.POSITIVE_INFINITY }, real.clock.now)?.events.at(-1)
      const event = { key: repeats && newest !== undefined ? newest.key : `k${newRev(real)}`, stream: on, data: 'x'.repeat(5) }
      const retention = { maxEvents, maxAgeMs, maxBytes, maxInternalAgeMs: maxAgeMs * 2 }
      const given = await real.calls.append(id, event, retention)
      assert.equal(given, model.append(id, event, retention, real.clock.now, given))
    },
  )
}

function read([at, streams, back, maxAgeMs, limit]: [number, readonly string[] | undefined, number, number, number]): Command {
  return command(`read(#${at}, ${streams ?? 'all'}, after last - ${back}, ${maxAgeMs} ms, limit ${limit})`, async (model, real) => {
    const id = idAt(real, at)
    const last = model.read(id, { after: 0, maxAgeMs }, real.clock.now)?.last ?? 0
    const query = { after: Math.max(0, last - back), maxAgeMs, ...(streams === undefined ? {} : { streams }) }
    const expected = model.read(id, query, real.clock.now)
    const page = await real.calls.read(id, { ...query, limit })
    assert.deepEqual(
      page,
      expected === undefined ? undefined : ({ ...expected, events: expected.events.slice(0, limit) } satisfies EventPage),
    )
  })
}

function reopen(): Command {
  return command('close and reopen', async (_, real) => {
    if (real.reopen !== undefined) real.calls = await real.reopen()
  })
}

function command(name: string, run: (model: ReferenceModel, real: Real) => Promise<void>): Command {
  return { check: () => true, run, toString: () => name }
}

function idAt(real: Real, at: number): string {
  return real.ids[at] ?? ''
}

function newRev(real: Real): string {
  real.writes += 1
  return `r${real.writes}`
}

function revAt(model: ReferenceModel, real: Real, at: number, guessed: string): string {
  const record: SessionRecord | undefined = model.get(idAt(real, guessed === 'neighbour' ? (at + 1) % 3 : at), real.clock.now)
  return guessed === 'never' ? 'never' : (record?.rev ?? 'none')
}

/** Sweeps until nothing is deleted; how many were. */
export async function sweepAll(calls: Calls): Promise<number> {
  let sum = 0
  for (let sweeps = 0; sweeps < 100; sweeps += 1) {
    const deleted = await calls.deleteExpired(2)
    if (deleted === 0) return sum
    sum += deleted
  }
  throw new Error('100 sweeps, and there is still something to delete')
}
