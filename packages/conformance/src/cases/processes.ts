import assert from 'node:assert/strict'
import type { SessionRecord } from '@mcp-session/core/backend'
import type { Case } from '../case.ts'
import { beside, nextTurn } from '../eventually.ts'
import type { SecondProcess } from '../second-process-handle.ts'
import type { Outcome, Step } from '../second-process-protocol.ts'
import type { Trial } from '../trial.ts'

export const processCases: readonly Case[] = [
  {
    id: 'processes/count-together',
    law: ['replace/compare-and-set', 'replace/loser-gets-current', 'atomic/one-step'],
    requires: ['shared-by-processes'],
    boundMs: 60_000,
    async run(t) {
      const counter = await t.stored({ data: '0', rev: 'first' })
      const processes = await start(t, 3)
      // The barrier: all are open and waiting. Without it they would run one after the other and lose nothing.
      await Promise.all(processes.map((process) => process.increment(counter.id, 60, t.clock.now)))
      assert.equal((await t.get(counter.id))?.data, '180', '3 processes that count to 60 in one record end at 180')
    },
  },
  {
    id: 'processes/one-creator-wins',
    law: ['create/inserts-if-absent', 'atomic/one-step'],
    requires: ['shared-by-processes'],
    boundMs: 60_000,
    async run(t) {
      const processes = await start(t, 3)
      const records = Array.from({ length: 40 }, () => t.record())
      const answers = await Promise.all(
        processes.map((process, n) => {
          const steps = records.map((record): Step => ({ method: 'create', args: [{ ...record, data: `of ${n}` }] }))
          return process.run(steps, 1, t.clock.now)
        }),
      )
      for (const [index, record] of records.entries()) {
        const winners = answers.flatMap((of, n) => (valueOf(of[index]?.outcome) === true ? [n] : []))
        assert.equal(winners.length, 1, 'exactly one of 3 processes creates an id')
        assert.equal((await t.get(record.id))?.data, `of ${winners[0]}`)
      }
    },
  },
  {
    id: 'processes/delete-is-final',
    law: ['delete/is-final', 'delete/says-what-was-there', 'atomic/one-step'],
    requires: ['shared-by-processes'],
    boundMs: 60_000,
    async run(t) {
      const [deleter, writer] = await start(t, 2)
      assert.ok(deleter && writer)
      // Against each other, the two must meet somewhere, whichever is the faster; side by side, one could be ahead all the way.
      for (let round = 0; round < 4; round += 1) {
        const records = await Promise.all(Array.from({ length: 30 }, () => t.stored()))
        await deleteBesideWrites(t, deleter, writer, records, round % 2 === 0 ? records : records.toReversed())
      }
    },
  },
  {
    id: 'processes/appends-share-one-count',
    law: ['events/sequence', 'events/no-late-arrivals', 'atomic/one-step'],
    requires: ['shared-by-processes', 'events'],
    boundMs: 60_000,
    async run(t) {
      const { id } = await t.stored()
      const processes = await start(t, 2)
      const retention = { maxEvents: Number.POSITIVE_INFINITY, maxAgeMs: Number.POSITIVE_INFINITY, maxBytes: Number.POSITIVE_INFINITY }
      let writing = true
      const writers = Promise.all(
        processes.map((process) =>
          process.run(
            Array.from({ length: 50 }, () => ({ method: 'events.append', args: [id, t.event(), retention] })),
            2,
            t.clock.now,
          ),
        ),
      ).finally(() => {
        writing = false
      })
      beside(writers)
      const shown = new Set<number>()
      let last = 0
      do {
        await nextTurn()
        const page = await t.read(id)
        for (const { sequence } of page?.events ?? [])
          assert.ok(shown.has(sequence) || sequence > last, `${sequence} appears after ${last} was shown`)
        for (const { sequence } of page?.events ?? []) shown.add(sequence)
        last = Math.max(last, ...shown)
      } while (writing)
      const sequences = (await writers).flat().map(({ outcome }) => valueOf(outcome))
      assert.equal(new Set(sequences).size, 100, 'no two appends of two processes get one sequence')
      assert.equal((await t.read(id))?.events.length, 100)
    },
  },
  {
    id: 'processes/exit-by-themselves-after-close',
    law: 'lifecycle/ownership',
    requires: ['second-process'],
    async run(t) {
      await t.backend.close()
      const second = await t.secondProcess()
      const calls = t.on(second.backend, 'second.')
      const record = t.record()
      assert.equal(await calls.create(record), true)
      if (t.backend.events !== undefined) await calls.append(record.id, t.event())
      if (t.backend.signals !== undefined) await second.backend.signals?.subscribe('channel', () => {})
      assert.deepEqual(await second.leave(), { code: 0, signal: null }, 'nothing of a closed backend keeps the process alive')
    },
  },
]

async function deleteBesideWrites(
  t: Trial,
  deleter: SecondProcess,
  writer: SecondProcess,
  written: readonly SessionRecord[],
  deleted: readonly SessionRecord[],
): Promise<void> {
  const appends = t.backend.events !== undefined
  const [deletes, writes] = await Promise.all([
    deleter.run(
      deleted.map(({ id }) => ({ method: 'delete', args: [id, undefined] })),
      1,
      t.clock.now,
    ),
    writer.run(
      written.flatMap((record): Step[] => [
        {
          method: 'touch',
          args: [{ id: record.id, rev: record.rev, lastAccessedAt: t.clock.now + 1, expiresAt: record.expiresAt + 1 }],
        },
        { method: 'replace', args: [t.successor(record), record.rev] },
        ...(appends ? [{ method: 'events.append', args: [record.id, t.event(), { maxEvents: 9, maxAgeMs: 9, maxBytes: 9 }] }] : []),
      ]),
      3,
      t.clock.now,
    ),
  ])
  for (const { outcome } of writes) assert.ok('value' in outcome, JSON.stringify(outcome))
  for (const [n, { outcome }] of deletes.entries()) {
    assert.equal(valueOf(outcome), true, 'nobody else deletes it')
    const id = deleted[n]?.id ?? ''
    assert.equal(await t.get(id), undefined, 'nothing brings it back')
    await t.create(t.record({ id }))
    if (appends) assert.deepEqual(await t.read(id), { events: [], last: 0, trimmed: false }, 'no event outlived it')
  }
}

function start(t: Trial, count: number): Promise<SecondProcess[]> {
  return Promise.all(Array.from({ length: count }, () => t.secondProcess()))
}

function valueOf(outcome: Outcome | undefined): unknown {
  if (outcome === undefined) throw new Error('the step was not run')
  if ('error' in outcome) throw new Error(`${outcome.error.name}: ${outcome.error.message}`)
  return outcome.value
}
