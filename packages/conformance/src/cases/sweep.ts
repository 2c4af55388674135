import assert from 'node:assert/strict'
import type { Case } from '../case.ts'
import { nextTurn } from '../eventually.ts'
import type { Trial } from '../trial.ts'

export const sweepCases: readonly Case[] = [
  {
    id: 'sweep/deletes-exactly-the-expired',
    law: ['sweep/only-expired', 'sweep/bounded'],
    async run(t) {
      const dead = await many(t, 7, 1_000)
      const live = await many(t, 5, 1_001)
      t.clock.advance(999)
      assert.equal(await t.deleteExpired(), 0, 'one millisecond before their end nothing is deleted')
      t.clock.advance(1)
      assert.equal(await t.deleteExpired(), 7)
      assert.equal(await t.deleteExpired(), 0, 'and then nothing is left to delete')
      t.clock.set(dead[0]?.expiresAt ?? 0)
      for (const record of live) assert.deepEqual(await t.get(record.id), record)
      t.clock.advance(-1)
      for (const record of dead) assert.equal(await t.get(record.id), undefined, 'deleted: gone at any instant')
    },
  },
  {
    id: 'sweep/an-empty-store-has-nothing-to-delete',
    law: 'sweep/bounded',
    async run(t) {
      assert.equal(await t.deleteExpired(), 0)
      await t.stored({ ttlMs: Number.POSITIVE_INFINITY })
      t.clock.set(Number.MAX_SAFE_INTEGER)
      assert.equal(await t.deleteExpired(), 0, 'Infinity is never')
    },
  },
  {
    id: 'sweep/deletes-at-most-limit',
    law: 'sweep/bounded',
    async run(t) {
      await many(t, 10, 1_000)
      t.clock.advance(1_000)
      const first = await t.deleteExpired(4)
      assert.ok(first > 0 && first <= 4, `at most 4, and not nothing: ${first}`)
      assert.equal(first + (await untilNone(t, 4)), 10)
      await many(t, 1, 1)
      t.clock.advance(1)
      assert.equal(await t.deleteExpired(1), 1)
    },
  },
  {
    id: 'sweep/slices-get-through-many',
    law: ['sweep/bounded', 'sweep/only-expired'],
    async run(t) {
      await many(t, 300, 1_000)
      const live = await many(t, 30, 5_000)
      t.clock.advance(1_000)
      assert.equal(await untilNone(t, 100), 300)
      assert.equal((await t.listAll()).length, live.length)
    },
  },
  {
    id: 'sweep/written-expired-is-deleted-too',
    law: ['sweep/only-expired', 'expiry/written-expired'],
    async run(t) {
      await t.stored({ ttlMs: 0 })
      assert.equal(await t.deleteExpired(), 1)
    },
  },
  {
    id: 'sweep/follows-touch-and-replace',
    law: 'sweep/only-expired',
    async run(t) {
      const [touched, replaced, shortened] = [
        await t.stored({ ttlMs: 1_000 }),
        await t.stored({ ttlMs: 1_000 }),
        await t.stored({ ttlMs: 9_000 }),
      ]
      const later = { lastAccessedAt: t.clock.now, expiresAt: touched.expiresAt + 1_000 }
      await t.touch({ id: touched.id, rev: touched.rev, ...later })
      const renewed = t.successor(replaced, { ttlMs: 2_000 })
      await t.replace(renewed, replaced.rev)
      await t.replace(t.successor(shortened, { ttlMs: 500 }), shortened.rev)
      t.clock.advance(1_500)
      assert.equal(await untilNone(t, 10), 1, 'only the one that was shortened')
      assert.deepEqual(await t.get(touched.id), { ...touched, ...later })
      assert.deepEqual(await t.get(replaced.id), renewed)
      t.clock.advance(500)
      assert.equal(await untilNone(t, 10), 2, 'at their new ends the others')
    },
  },
  {
    id: 'sweep/deleted-and-reborn-ids-are-judged-anew',
    law: 'sweep/only-expired',
    async run(t) {
      const old = await t.stored({ ttlMs: 1_000 })
      await t.delete(old.id)
      const reborn = await t.stored({ id: old.id, ttlMs: 9_000 })
      t.clock.advance(1_000)
      assert.equal(await t.deleteExpired(), 0)
      assert.deepEqual(await t.get(old.id), reborn)
      const expired = await t.stored({ ttlMs: 10 })
      t.clock.advance(10)
      const next = t.record({ id: expired.id })
      await t.create(next)
      await untilNone(t, 10)
      assert.deepEqual(await t.get(next.id), next)
    },
  },
  {
    id: 'sweep/takes-the-events-along',
    law: ['sweep/only-expired', 'sweep/bounded'],
    requires: ['events'],
    async run(t) {
      const record = await t.stored({ ttlMs: 1_000 })
      await t.append(record.id, t.event())
      const live = await t.stored({ ttlMs: 9_000 })
      await t.append(live.id, t.event())
      t.clock.advance(1_000)
      assert.equal(await untilNone(t, 10), 1, 'events are not counted')
      await t.create(t.record({ id: record.id }))
      assert.deepEqual(await t.read(record.id), { events: [], last: 0, trimmed: false })
      assert.equal((await t.read(live.id))?.events.length, 1, 'those of a live session stay')
    },
  },
  {
    id: 'sweep/rechecks-what-was-renewed-meanwhile',
    law: ['sweep/only-expired', 'atomic/one-step'],
    async run(t) {
      for (let round = 0; round < 15; round += 1) {
        const records = await many(t, 12, 1_000)
        const end = records[0]?.expiresAt ?? 0
        const lastChance = t.call({ now: end - 1 })
        t.clock.set(end)
        const sweeps = [0, 1].map(() => () => t.deleteExpired(6))
        const renewals = records.map((record, n) => async () => {
          // Spread over the sweeps: a sweep that looks first and deletes later is caught in between.
          for (let turns = (n * 5) % 24; turns > 0; turns -= 1) await nextTurn()
          if (n % 3 === 0) return (await t.create(t.successor(record, { lastAccessedAt: end }))) ? record.id : undefined
          const later = { lastAccessedAt: end - 1, expiresAt: end + 1_000 }
          if (n % 3 === 1)
            return (await t.backend.touch({ id: record.id, rev: record.rev, ...later }, lastChance)) === 'touched' ? record.id : undefined
          const next = t.successor(record, { lastAccessedAt: end - 1 })
          return (await t.backend.replace(next, record.rev, lastChance)).replaced ? record.id : undefined
        })
        const answers = await Promise.all(t.random.shuffle<() => Promise<unknown>>([...sweeps, ...renewals]).map((step) => step()))
        for (const id of answers) {
          if (typeof id === 'string') assert.ok(await t.get(id), 'a session whose renewal was acknowledged is not swept')
        }
        t.clock.advance(5_000)
        await untilNone(t, 100)
      }
    },
  },
  {
    id: 'sweep/concurrent-sweeps-count-each-record-once',
    law: ['sweep/bounded', 'atomic/one-step'],
    async run(t) {
      await many(t, 40, 1_000)
      t.clock.advance(1_000)
      const counts = await Promise.all(Array.from({ length: 4 }, () => untilNone(t, 7)))
      assert.equal(
        counts.reduce((sum, count) => sum + count, 0),
        40,
      )
    },
  },
  {
    id: 'sweep/a-fast-clock-empties-nothing',
    law: 'sweep/only-expired',
    requires: ['engine-clock'],
    async run(t) {
      const { engineNow = 0 } = await t.backend.health(t.call())
      t.clock.set(engineNow)
      const record = await t.stored({ ttlMs: 86_400_000 })
      const year = t.call({ now: engineNow + 365 * 86_400_000 })
      assert.equal(await t.backend.deleteExpired(100, year), 0, 'the clock of one node is a year ahead: the clock of the engine decides')
      assert.deepEqual(await t.get(record.id), record)
    },
  },
]

function many(t: Trial, count: number, ttlMs: number) {
  return Promise.all(Array.from({ length: count }, () => t.stored({ ttlMs })))
}

/** Sweeps until a sweep deletes nothing; fails when that takes more than 1,000. */
async function untilNone(t: Trial, limit: number): Promise<number> {
  let sum = 0
  for (let sweeps = 0; sweeps < 1_000; sweeps += 1) {
    const deleted = await t.deleteExpired(limit)
    assert.ok(Number.isInteger(deleted) && deleted >= 0 && deleted <= limit, `between 0 and ${limit}: ${deleted}`)
    if (deleted === 0) return sum
    sum += deleted
  }
  throw new Error('1,000 sweeps, and there is still something to delete')
}
