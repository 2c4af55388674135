import assert from 'node:assert/strict'
import type { SessionRecord, Touch } from '@mcp-session/core/backend'
import type { Case } from '../case.ts'

export const touchCases: readonly Case[] = [
  {
    id: 'touch/moves-both-instants-forward',
    law: ['touch/forward-only', 'touch/changes-nothing-else'],
    async run(t) {
      const record = await t.stored({ owner: 'alice', ttlMs: 1_000 })
      t.clock.advance(400)
      const moved = { lastAccessedAt: t.clock.now, expiresAt: t.clock.now + 1_000 }
      assert.equal(await t.touch({ id: record.id, rev: record.rev, ...moved }), 'touched')
      assert.deepEqual(await t.get(record.id), { ...record, ...moved })
      t.clock.set(moved.expiresAt - 1)
      assert.deepEqual(await t.get(record.id), { ...record, ...moved }, 'it lives to its new end')
      t.clock.set(moved.expiresAt)
      assert.equal(await t.get(record.id), undefined)
    },
  },
  {
    id: 'touch/never-goes-back',
    law: 'touch/forward-only',
    async run(t) {
      const record = await t.stored()
      t.clock.advance(100)
      const earlier = touchOf(record, -50, -50)
      assert.equal(await t.touch(earlier), 'touched', 'it is at least that late already')
      assert.deepEqual(await t.get(record.id), record)
      assert.equal(await t.touch(touchOf(record, 0, 0)), 'touched')
      assert.deepEqual(await t.get(record.id), record)
    },
  },
  {
    id: 'touch/moves-each-instant-on-its-own',
    law: 'touch/forward-only',
    async run(t) {
      const record = await t.stored()
      t.clock.advance(100)
      assert.equal(await t.touch(touchOf(record, 50, -50)), 'touched')
      assert.deepEqual(await t.get(record.id), { ...record, lastAccessedAt: record.lastAccessedAt + 50 })
      assert.equal(await t.touch(touchOf(record, 20, 70)), 'touched')
      const both = { lastAccessedAt: record.lastAccessedAt + 50, expiresAt: record.expiresAt + 70 }
      assert.deepEqual(await t.get(record.id), { ...record, ...both })
    },
  },
  {
    id: 'touch/can-make-it-immortal',
    law: ['touch/forward-only', 'record/exact'],
    async run(t) {
      const record = await t.stored({ ttlMs: 1_000 })
      await t.touch({ ...touchOf(record, 1, 0), expiresAt: Number.POSITIVE_INFINITY })
      t.clock.set(Number.MAX_SAFE_INTEGER)
      assert.equal((await t.get(record.id))?.expiresAt, Number.POSITIVE_INFINITY)
      assert.equal(await t.touch(touchOf(record, 2, 5)), 'touched')
      assert.equal((await t.get(record.id))?.expiresAt, Number.POSITIVE_INFINITY, 'nothing is later than never')
    },
  },
  {
    id: 'touch/concurrent-touches-end-at-the-latest',
    law: ['touch/forward-only', 'atomic/one-step'],
    async run(t) {
      const record = await t.stored()
      t.clock.advance(1_000)
      const steps = t.random.shuffle(Array.from({ length: 30 }, (_, n) => n))
      const answers = await Promise.all(steps.map((step) => t.touch(touchOf(record, step, step))))
      assert.deepEqual(new Set(answers), new Set(['touched']))
      assert.deepEqual(await t.get(record.id), {
        ...record,
        lastAccessedAt: record.lastAccessedAt + 29,
        expiresAt: record.expiresAt + 29,
      })
    },
  },
  {
    id: 'touch/other-rev-is-moved',
    law: 'touch/only-its-rev',
    async run(t) {
      const first = await t.stored()
      const second = t.successor(first)
      await t.replace(second, first.rev)
      assert.equal(await t.touch(touchOf(first, 10, 10)), 'moved')
      assert.deepEqual(await t.get(first.id), second)
      assert.equal(await t.touch({ ...touchOf(second, 10, 10), rev: second.rev.toUpperCase() + second.rev }), 'moved')
    },
  },
  {
    id: 'touch/absent-is-missing',
    law: 'touch/only-its-rev',
    async run(t) {
      const never = t.record()
      assert.equal(await t.touch(touchOf(never, 10, 10)), 'missing')
      assert.equal(await t.get(never.id), undefined, 'a touch creates nothing')
      const gone = await t.stored()
      await t.delete(gone.id)
      assert.equal(await t.touch(touchOf(gone, 10, 10)), 'missing')
      assert.equal(await t.get(gone.id), undefined)
      assert.deepEqual(await t.listAll(), [])
    },
  },
  {
    id: 'touch/does-not-revive',
    law: ['touch/only-its-rev', 'expiry/expired-is-absent'],
    async run(t) {
      const record = await t.stored({ owner: 'alice', ttlMs: 100 })
      t.clock.advance(100)
      assert.equal(await t.touch(touchOf(record, 100, 1_000)), 'missing')
      assert.equal(await t.get(record.id), undefined)
      assert.deepEqual(await t.listAll(), [])
      assert.deepEqual(await t.listAll({ owner: 'alice' }), [])
      assert.equal(await t.touch({ ...touchOf(record, 100, 1_000), rev: 'another' }), 'missing', 'with whatever rev')
    },
  },
  {
    id: 'touch/changes-no-other-field',
    law: 'touch/changes-nothing-else',
    async run(t) {
      const record = await t.stored({
        owner: 'alice',
        prevRev: 'p',
        createdAt: t.clock.now - 9,
        ttlMs: 5_000,
        mustEndAt: t.clock.now + 6_000,
      })
      const neighbour = await t.stored({ owner: 'alice' })
      await t.touch(touchOf(record, 7, 11))
      const touched = { ...record, lastAccessedAt: record.lastAccessedAt + 7, expiresAt: record.expiresAt + 11 }
      assert.deepEqual(await t.get(record.id), touched)
      assert.deepEqual(await t.get(neighbour.id), neighbour)
      assert.deepEqual(await t.replace(t.successor(touched), record.rev), { replaced: true }, 'the rev is still the one that was written')
    },
  },
  {
    id: 'touch/keeps-the-events',
    law: 'touch/changes-nothing-else',
    requires: ['events'],
    async run(t) {
      const record = await t.stored()
      await t.append(record.id, t.event())
      const before = await t.read(record.id)
      await t.touch(touchOf(record, 7, 7))
      assert.deepEqual(await t.read(record.id), before)
    },
  },
  {
    id: 'touch/racing-a-replace-loses-nothing',
    law: ['touch/only-its-rev', 'touch/changes-nothing-else', 'atomic/one-step'],
    async run(t) {
      for (let round = 0; round < 30; round += 1) {
        const first = await t.stored()
        const second = t.successor(first)
        const [touched, replaced] = await Promise.all([t.touch(touchOf(first, 10, 10)), t.replace(second, first.rev)])
        assert.deepEqual(replaced, { replaced: true }, 'a touch takes no rev away')
        assert.ok(touched === 'touched' || touched === 'moved')
        assert.deepEqual(await t.get(first.id), second, 'what the replace wrote is what is there')
      }
    },
  },
]

function touchOf(record: SessionRecord, accessedLaterMs: number, expiresLaterMs: number): Touch {
  return {
    id: record.id,
    rev: record.rev,
    lastAccessedAt: record.lastAccessedAt + accessedLaterMs,
    expiresAt: record.expiresAt + expiresLaterMs,
  }
}
