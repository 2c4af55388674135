import assert from 'node:assert/strict'
import type { Case } from '../case.ts'

export const deleteCases: readonly Case[] = [
  {
    id: 'delete/says-whether-it-was-there',
    law: 'delete/says-what-was-there',
    async run(t) {
      const record = await t.stored({ owner: 'alice' })
      assert.equal(await t.delete(record.id), true)
      assert.equal(await t.get(record.id), undefined)
      assert.deepEqual(await t.listAll(), [])
      assert.deepEqual(await t.listAll({ owner: 'alice' }), [])
      assert.equal(await t.delete(record.id), false, 'the second time nothing is there')
      assert.equal(await t.delete(t.record().id), false, 'nor under an id that never was')
    },
  },
  {
    id: 'delete/expired-answers-false',
    law: ['delete/says-what-was-there', 'expiry/expired-is-absent'],
    async run(t) {
      const record = await t.stored({ ttlMs: 100 })
      t.clock.advance(99)
      const other = await t.stored({ ttlMs: 1 })
      assert.equal(await t.delete(other.id), true, 'one millisecond before its end it is there')
      t.clock.advance(1)
      assert.equal(await t.delete(record.id), false)
      assert.equal(await t.delete(record.id, record.rev), false)
    },
  },
  {
    id: 'delete/wrong-rev-changes-nothing',
    law: 'delete/says-what-was-there',
    async run(t) {
      const first = await t.stored()
      const second = t.successor(first)
      await t.replace(second, first.rev)
      assert.equal(await t.delete(first.id, first.rev), false)
      assert.deepEqual(await t.get(first.id), second)
      assert.equal(await t.delete(first.id, second.rev), true)
      assert.equal(await t.get(first.id), undefined)
    },
  },
  {
    id: 'delete/wrong-rev-keeps-the-events',
    law: ['delete/says-what-was-there', 'delete/removes-events'],
    requires: ['events'],
    async run(t) {
      const record = await t.stored()
      await t.append(record.id, t.event())
      const before = await t.read(record.id)
      assert.equal(await t.delete(record.id, 'another'), false)
      assert.deepEqual(await t.read(record.id), before)
    },
  },
  {
    id: 'delete/one-of-many-deleters-gets-true',
    law: ['delete/says-what-was-there', 'atomic/one-step'],
    async run(t) {
      for (let round = 0; round < 10; round += 1) {
        const record = await t.stored()
        const answers = await Promise.all(Array.from({ length: 10 }, (_, n) => t.delete(record.id, n % 2 === 0 ? record.rev : undefined)))
        assert.equal(answers.filter(Boolean).length, 1, 'exactly one of 10 concurrent deleters finds it')
      }
    },
  },
  {
    id: 'delete/touches-no-neighbour',
    law: 'delete/says-what-was-there',
    async run(t) {
      const [first, second] = [await t.stored({ id: 's_a' }), await t.stored({ id: 's_ab' })]
      await t.delete(first.id)
      assert.deepEqual(await t.listAll(), [second])
    },
  },
  {
    id: 'delete/late-writes-cannot-bring-it-back',
    law: 'delete/is-final',
    async run(t) {
      const record = await t.stored()
      await t.delete(record.id)
      await t.replace(t.successor(record), record.rev)
      await t.touch({ id: record.id, rev: record.rev, lastAccessedAt: t.clock.now + 1, expiresAt: record.expiresAt + 1 })
      if (t.backend.events !== undefined) assert.equal(await t.append(record.id, t.event()), undefined)
      assert.equal(await t.get(record.id), undefined)
      assert.deepEqual(await t.listAll(), [])
    },
  },
  {
    id: 'delete/is-final-in-every-race',
    law: ['delete/is-final', 'atomic/one-step'],
    async run(t) {
      for (let round = 0; round < 60; round += 1) {
        const record = await t.stored({ owner: 'alice' })
        const touch = { id: record.id, rev: record.rev, lastAccessedAt: t.clock.now + 1, expiresAt: record.expiresAt + 1 }
        const rivals: (() => Promise<unknown>)[] = [
          () => t.delete(record.id),
          () => t.replace(t.successor(record), record.rev),
          () => t.touch(touch),
          ...(t.backend.events === undefined ? [] : [() => t.append(record.id, t.event())]),
        ]
        await Promise.all(t.random.shuffle(rivals).map((rival) => rival()))
        assert.equal(await t.get(record.id), undefined, 'after a delete no replace, touch or append has brought it back')
      }
      assert.deepEqual(await t.listAll(), [])
      assert.deepEqual(await t.listAll({ owner: 'alice' }), [])
    },
  },
  {
    id: 'delete/takes-the-events-along',
    law: 'delete/removes-events',
    requires: ['events'],
    async run(t) {
      const record = await t.stored()
      for (let n = 0; n < 3; n += 1) await t.append(record.id, t.event({ stream: n === 2 ? '!internal' : 'main' }))
      await t.delete(record.id)
      assert.equal(await t.read(record.id), undefined)
      await t.create(t.record({ id: record.id }))
      assert.deepEqual(await t.read(record.id), { events: [], last: 0, trimmed: false }, 'the next session of that id starts without any')
    },
  },
  {
    id: 'delete/with-its-rev-takes-the-events-along',
    law: 'delete/removes-events',
    requires: ['events'],
    async run(t) {
      const record = await t.stored()
      const event = t.event()
      await t.append(record.id, event)
      await t.delete(record.id, record.rev)
      await t.create(t.record({ id: record.id }))
      assert.deepEqual(await t.read(record.id), { events: [], last: 0, trimmed: false })
      const sequence = await t.append(record.id, { ...event, data: 'new' })
      const page = await t.read(record.id)
      assert.deepEqual(
        page?.events.map((stored) => [stored.sequence, stored.data]),
        [[sequence, 'new']],
        'its keys are forgotten, too',
      )
    },
  },
  {
    id: 'delete/racing-appends-leave-no-orphan',
    law: ['delete/removes-events', 'events/needs-live-session', 'atomic/one-step'],
    requires: ['events'],
    async run(t) {
      for (let round = 0; round < 40; round += 1) {
        const record = await t.stored()
        const appends = Array.from({ length: 4 }, () => () => t.append(record.id, t.event()))
        const rivals: (() => Promise<unknown>)[] = [...appends, () => t.delete(record.id)]
        await Promise.all(t.random.shuffle(rivals).map((rival) => rival()))
        assert.equal(await t.read(record.id), undefined)
        await t.create(t.record({ id: record.id }))
        assert.deepEqual((await t.read(record.id))?.events, [], 'no event outlives its session')
      }
    },
  },
]
