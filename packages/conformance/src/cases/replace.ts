import assert from 'node:assert/strict'
import type { Case } from '../case.ts'

export const replaceCases: readonly Case[] = [
  {
    id: 'replace/right-rev-writes-everything',
    law: ['replace/compare-and-set', 'record/exact'],
    async run(t) {
      const first = await t.stored({ owner: 'alice' })
      t.clock.advance(10)
      const now = t.clock.now
      const second = t.successor(first, {
        owner: 'bob',
        createdAt: now - 3,
        lastAccessedAt: now,
        ttlMs: 777,
        mustEndAt: now + 500,
        data: 'second',
      })
      assert.deepEqual(await t.replace(second, first.rev), { replaced: true })
      assert.deepEqual(await t.get(first.id), second)
      const third = t.successor(second, { owner: null, ttlMs: Number.POSITIVE_INFINITY, mustEndAt: Number.POSITIVE_INFINITY })
      assert.deepEqual(await t.replace(third, second.rev), { replaced: true })
      assert.deepEqual(await t.get(first.id), third)
    },
  },
  {
    id: 'replace/may-move-instants-back',
    law: 'replace/as-given',
    async run(t) {
      const first = await t.stored()
      await t.touch({ id: first.id, rev: first.rev, lastAccessedAt: t.clock.now + 900, expiresAt: first.expiresAt + 900 })
      const back = { createdAt: first.createdAt - 5, lastAccessedAt: first.lastAccessedAt - 5, ttlMs: 60 }
      const second = t.successor(first, back)
      assert.deepEqual(await t.replace(second, first.rev), { replaced: true })
      assert.deepEqual(await t.get(first.id), second, 'not merged with the instants that were there')
      t.clock.set(second.expiresAt)
      assert.equal(await t.get(first.id), undefined)
    },
  },
  {
    id: 'replace/prev-rev-and-rev-are-the-stores',
    law: 'replace/as-given',
    async run(t) {
      const first = await t.stored()
      const second = t.successor(first, { rev: 'chosen by the store'.replaceAll(' ', '-'), prevRev: null })
      await t.replace(second, first.rev)
      assert.deepEqual(await t.get(first.id), second, 'the backend derives neither')
    },
  },
  {
    id: 'replace/wrong-rev-changes-nothing',
    law: ['replace/compare-and-set', 'replace/loser-gets-current'],
    async run(t) {
      const first = await t.stored({ owner: 'alice' })
      const second = t.successor(first)
      await t.replace(second, first.rev)
      const late = t.successor(first, { owner: 'mallory', data: 'late' })
      assert.deepEqual(await t.replace(late, first.rev), { replaced: false, current: second })
      assert.deepEqual(await t.get(first.id), second)
      assert.deepEqual(await t.listAll({ owner: 'mallory' }), [])
    },
  },
  {
    id: 'replace/revs-are-compared-to-the-character',
    law: 'replace/compare-and-set',
    async run(t) {
      const revs = ['a', 'A', 'ab', '1', '01', '1.0', '1e0', '0x1', '-1', 'null', 'undefined', '"', "'", '*', '%', '~'.repeat(64)]
      for (const rev of revs) {
        const record = await t.stored({ rev })
        for (const other of revs.filter((candidate) => candidate !== rev)) {
          const answer = await t.replace(t.successor(record), other)
          assert.deepEqual(answer, { replaced: false, current: record }, `${JSON.stringify(other)} is not ${JSON.stringify(rev)}`)
        }
        assert.deepEqual(await t.replace(t.successor(record), rev), { replaced: true })
      }
    },
  },
  {
    id: 'replace/compares-with-the-rev-not-with-prev-rev',
    law: 'replace/compare-and-set',
    async run(t) {
      const record = await t.stored({ prevRev: 'before' })
      assert.deepEqual(await t.replace(t.successor(record), 'before'), { replaced: false, current: record })
    },
  },
  {
    id: 'replace/again-with-the-same-record-loses-to-itself',
    law: ['replace/compare-and-set', 'replace/loser-gets-current'],
    async run(t) {
      const first = await t.stored()
      const second = t.successor(first)
      await t.replace(second, first.rev)
      const again = await t.replace(second, first.rev)
      assert.deepEqual(
        again,
        { replaced: false, current: second },
        'a write that is sent again finds its own rev: so it knows that it landed',
      )
    },
  },
  {
    id: 'replace/rev-of-an-earlier-life-loses',
    law: ['replace/compare-and-set', 'delete/is-final'],
    async run(t) {
      const first = await t.stored()
      await t.delete(first.id)
      const reborn = t.record({ id: first.id })
      await t.create(reborn)
      assert.deepEqual(await t.replace(t.successor(first), first.rev), { replaced: false, current: reborn })
      assert.deepEqual(await t.get(first.id), reborn)
      assert.equal(
        await t.touch({ id: first.id, rev: first.rev, lastAccessedAt: t.clock.now + 1, expiresAt: first.expiresAt + 1 }),
        'moved',
      )
    },
  },
  {
    id: 'replace/absent-id-is-not-inserted',
    law: 'replace/never-inserts',
    async run(t) {
      const record = t.record({ owner: 'alice' })
      assert.deepEqual(await t.replace(record, 'any'), { replaced: false, current: undefined })
      assert.deepEqual(await t.replace(record, record.rev), { replaced: false, current: undefined })
      assert.equal(await t.get(record.id), undefined)
      assert.deepEqual(await t.listAll(), [])
      assert.deepEqual(await t.listAll({ owner: 'alice' }), [])
    },
  },
  {
    id: 'replace/expired-id-is-not-inserted',
    law: ['replace/never-inserts', 'expiry/expired-is-absent'],
    async run(t) {
      const record = await t.stored({ ttlMs: 100 })
      t.clock.advance(100)
      const renewed = t.successor(record, { lastAccessedAt: t.clock.now })
      assert.deepEqual(await t.replace(renewed, record.rev), { replaced: false, current: undefined })
      assert.equal(await t.get(record.id), undefined)
    },
  },
  {
    id: 'replace/deleted-id-is-not-inserted',
    law: ['replace/never-inserts', 'delete/is-final'],
    async run(t) {
      const record = await t.stored()
      await t.delete(record.id)
      assert.deepEqual(await t.replace(t.successor(record), record.rev), { replaced: false, current: undefined })
      assert.equal(await t.get(record.id), undefined)
    },
  },
  {
    id: 'replace/one-of-many-replacers-wins',
    law: ['replace/compare-and-set', 'replace/loser-gets-current', 'atomic/one-step'],
    async run(t) {
      for (let round = 0; round < 10; round += 1) {
        const first = await t.stored()
        const rivals = Array.from({ length: 20 }, () => t.successor(first))
        const answers = await Promise.all(rivals.map((rival) => t.replace(rival, first.rev)))
        const winners = rivals.filter((_, n) => answers[n]?.replaced === true)
        assert.equal(winners.length, 1, 'exactly one of 20 concurrent replacers of one rev wins')
        assert.deepEqual(await t.get(first.id), winners[0])
        for (const answer of answers) {
          if (!answer.replaced) assert.deepEqual(answer.current, winners[0], 'a loser gets the record that beat it')
        }
      }
    },
  },
  {
    id: 'replace/loser-can-go-on-from-current',
    law: ['replace/loser-gets-current', 'atomic/one-step'],
    async run(t) {
      const counter = await t.stored({ data: '0' })
      const clients = Array.from({ length: 10 }, async () => {
        let current = counter
        for (let done = 0; done < 5; ) {
          const next = t.successor(current, { data: String(Number(current.data) + 1) })
          const answer = await t.replace(next, current.rev)
          if (answer.replaced) {
            done += 1
            current = next
          } else {
            assert.ok(answer.current, 'the record lives, so a loser gets it')
            assert.notEqual(answer.current.rev, current.rev, 'a loser gets a record of another rev than the one that it lost with')
            current = answer.current
          }
        }
      })
      await Promise.all(clients)
      assert.equal((await t.get(counter.id))?.data, '50', '10 clients that count to 5 without reading again end at 50')
    },
  },
  {
    id: 'replace/moves-the-session-to-its-new-owner',
    law: ['list/owner-cost', 'list/filters'],
    async run(t) {
      const first = await t.stored({ owner: 'alice' })
      const second = t.successor(first, { owner: 'bob' })
      await t.replace(second, first.rev)
      assert.deepEqual(await t.listAll({ owner: 'alice' }), [])
      assert.deepEqual(await t.listAll({ owner: 'bob' }), [second])
      const third = t.successor(second, { owner: null })
      await t.replace(third, second.rev)
      assert.deepEqual(await t.listAll({ owner: 'bob' }), [])
      const fourth = t.successor(third, { owner: 'alice' })
      await t.replace(fourth, third.rev)
      assert.deepEqual(await t.listAll({ owner: 'alice' }), [fourth])
    },
  },
  {
    id: 'replace/keeps-the-events',
    law: ['events/sequence', 'events/read'],
    requires: ['events'],
    async run(t) {
      const first = await t.stored()
      const sequence = await t.append(first.id, t.event())
      await t.replace(t.successor(first), first.rev)
      assert.deepEqual(
        (await t.read(first.id))?.events.map((event) => event.sequence),
        [sequence],
      )
      const next = await t.append(first.id, t.event())
      assert.ok(next !== undefined && sequence !== undefined && next > sequence, 'sequences go on after a replace')
    },
  },
]
