import assert from 'node:assert/strict'
import type { Case } from '../case.ts'

export const createCases: readonly Case[] = [
  {
    id: 'create/new-id-is-stored',
    law: ['create/inserts-if-absent', 'record/exact'],
    async run(t) {
      const record = t.record({ owner: 'alice', prevRev: null, ttlMs: 60_000, mustEndAt: t.clock.now + 90_000 })
      assert.equal(await t.get(record.id), undefined, 'nothing is there before')
      assert.equal(await t.create(record), true)
      assert.deepEqual(await t.get(record.id), record)
    },
  },
  {
    id: 'create/live-id-changes-nothing',
    law: 'create/inserts-if-absent',
    async run(t) {
      const first = await t.stored({ owner: 'alice' })
      const second = t.record({ id: first.id, owner: 'mallory', ttlMs: 5, data: 'other' })
      assert.equal(await t.create(second), false)
      assert.deepEqual(await t.get(first.id), first)
      assert.deepEqual(await t.listAll(), [first])
      assert.deepEqual(await t.listAll({ owner: 'mallory' }), [], 'the owner that lost owns nothing')
      t.clock.advance(5)
      assert.deepEqual(await t.get(first.id), first, 'the lifetime that lost does not end it')
    },
  },
  {
    id: 'create/live-id-keeps-its-events',
    law: 'create/inserts-if-absent',
    requires: ['events'],
    async run(t) {
      const record = await t.stored()
      const sequence = await t.append(record.id, t.event())
      assert.equal(await t.create(t.record({ id: record.id })), false)
      const page = await t.read(record.id)
      assert.deepEqual(
        page?.events.map((event) => event.sequence),
        [sequence],
      )
    },
  },
  {
    id: 'create/same-record-twice-answers-false',
    law: 'create/inserts-if-absent',
    async run(t) {
      const record = await t.stored()
      assert.equal(await t.create(record), false, 'even the identical record: its id is taken')
      assert.deepEqual(await t.get(record.id), record)
    },
  },
  {
    id: 'create/one-of-many-creators-wins',
    law: ['create/inserts-if-absent', 'atomic/one-step'],
    async run(t) {
      for (let round = 0; round < 10; round += 1) {
        const first = t.record()
        const rivals = Array.from({ length: 20 }, (_, n) => t.record({ id: first.id, data: `rival ${n}` }))
        const answers = await Promise.all(rivals.map((rival) => t.create(rival)))
        assert.equal(answers.filter(Boolean).length, 1, 'exactly one of 20 concurrent creators gets true')
        assert.deepEqual(await t.get(first.id), rivals[answers.indexOf(true)], 'the one that got true is the one that is stored')
      }
    },
  },
  {
    id: 'create/deleted-id-is-free-again',
    law: ['create/inserts-if-absent', 'delete/is-final'],
    async run(t) {
      const first = await t.stored()
      await t.delete(first.id)
      const second = t.record({ id: first.id })
      assert.equal(await t.create(second), true)
      assert.deepEqual(await t.get(first.id), second)
    },
  },
  {
    id: 'create/ids-do-not-disturb-each-other',
    law: 'create/inserts-if-absent',
    async run(t) {
      const records = await Promise.all(Array.from({ length: 50 }, () => t.stored()))
      for (const record of records) assert.deepEqual(await t.get(record.id), record)
    },
  },
]
