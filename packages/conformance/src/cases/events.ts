import assert from 'node:assert/strict'
import type { Case } from '../case.ts'
import { beside, nextTurn } from '../eventually.ts'
import { sequencesOf } from './event-pages.ts'

export const eventCases: readonly Case[] = [
  {
    id: 'events/sequences-grow-strictly',
    law: 'events/sequence',
    requires: ['events'],
    async run(t) {
      const [one, two] = [await t.stored(), await t.stored()]
      const sequences: number[] = []
      for (let n = 0; n < 20; n += 1) {
        const sequence = await t.append(one.id, t.event({ stream: ['main', 'other', '!internal'][n % 3] ?? '' }))
        if (n % 4 === 0) await t.append(two.id, t.event())
        assert.ok(sequence !== undefined && Number.isSafeInteger(sequence) && sequence >= 1, `a sequence is 1 or more: ${sequence}`)
        assert.ok(sequence > (sequences.at(-1) ?? 0), `${sequence} comes after ${sequences.at(-1)}, whatever the stream`)
        sequences.push(sequence)
      }
      const page = await t.read(one.id)
      assert.deepEqual(sequencesOf(page), sequences)
      assert.equal(page?.last, sequences.at(-1))
    },
  },
  {
    id: 'events/concurrent-appends-get-different-sequences',
    law: ['events/sequence', 'atomic/one-step'],
    requires: ['events'],
    async run(t) {
      const { id } = await t.stored()
      const sequences = await Promise.all(Array.from({ length: 60 }, () => t.append(id, t.event())))
      assert.equal(new Set(sequences).size, 60)
      assert.deepEqual(
        sequencesOf(await t.read(id)),
        [...sequences].sort((a, b) => (a ?? 0) - (b ?? 0)),
      )
    },
  },
  {
    id: 'events/sequences-are-not-reused-after-trimming',
    law: 'events/sequence',
    requires: ['events'],
    async run(t) {
      const { id } = await t.stored()
      const seen: number[] = []
      const append = async (retention: { maxEvents?: number; maxAgeMs?: number; maxBytes?: number }): Promise<void> => {
        const sequence = await t.append(id, t.event(), retention)
        assert.ok(sequence !== undefined && sequence > (seen.at(-1) ?? 0), `${sequence} after ${seen.at(-1)}`)
        seen.push(sequence)
      }
      for (let n = 0; n < 4; n += 1) await append({ maxEvents: 1 })
      for (let n = 0; n < 4; n += 1) {
        t.clock.advance(1_000)
        await append({ maxAgeMs: 10 })
      }
      for (let n = 0; n < 4; n += 1) await append({ maxBytes: 0 })
      assert.deepEqual(sequencesOf(await t.read(id)), [seen.at(-1)])
      assert.equal((await t.read(id))?.last, seen.at(-1))
    },
  },
  {
    id: 'events/sequences-go-on-after-touch-and-reopen',
    law: 'events/sequence',
    requires: ['events', 'durable'],
    async run(t) {
      const record = await t.stored()
      const before = await t.append(record.id, t.event(), { maxEvents: 1 })
      const calls = await t.reopened()
      const after = await calls.append(record.id, t.event(), { maxEvents: 1 })
      assert.ok(before !== undefined && after !== undefined && after > before, `${after} after ${before}`)
    },
  },
  {
    id: 'events/nothing-appears-below-what-was-shown',
    law: 'events/no-late-arrivals',
    requires: ['events'],
    async run(t) {
      const { id } = await t.stored()
      let appending = true
      const writers = Promise.all(
        Array.from({ length: 6 }, async (_, writer) => {
          for (let n = 0; n < 12; n += 1) await t.append(id, t.event({ stream: `stream ${writer % 3}` }))
        }),
      ).finally(() => {
        appending = false
      })
      beside(writers)
      const shown = new Set<number>()
      let last = 0
      do {
        await nextTurn()
        const page = await t.read(id)
        for (const { sequence } of page?.events ?? []) {
          assert.ok(shown.has(sequence) || sequence > last, `${sequence} was not there when ${last} was shown`)
        }
        for (const { sequence } of page?.events ?? []) shown.add(sequence)
        last = Math.max(last, page?.events.at(-1)?.sequence ?? 0)
        assert.ok((page?.last ?? 0) >= last, 'last is the newest there is')
      } while (appending)
      await writers
      assert.equal((await t.read(id))?.events.length, 72)
    },
  },
  {
    id: 'events/repeated-key-stores-nothing',
    law: 'events/idempotent',
    requires: ['events'],
    async run(t) {
      const { id } = await t.stored()
      const event = t.event({ data: 'first' })
      const first = await t.append(id, event)
      await t.append(id, t.event())
      assert.equal(await t.append(id, event), first)
      assert.equal(await t.append(id, { ...event, data: 'second', stream: 'another' }), first, 'the key decides')
      const page = await t.read(id)
      assert.equal(page?.events.length, 2)
      assert.equal(page.events[0]?.data, 'first')
      assert.equal(page.events[0]?.stream, 'main')
    },
  },
  {
    id: 'events/concurrent-repeats-store-one',
    law: ['events/idempotent', 'atomic/one-step'],
    requires: ['events'],
    async run(t) {
      const { id } = await t.stored()
      for (let round = 0; round < 8; round += 1) {
        const event = t.event()
        const answers = await Promise.all(Array.from({ length: 6 }, () => t.append(id, event)))
        assert.equal(new Set(answers).size, 1, 'all repeats get one sequence')
      }
      assert.equal((await t.read(id))?.events.length, 8)
    },
  },
  {
    id: 'events/keys-are-compared-to-the-character',
    law: 'events/idempotent',
    requires: ['events'],
    async run(t) {
      const [one, two] = [await t.stored(), await t.stored()]
      const keys = ['k', 'K', 'k1', '1', '01', '1.0', '*', '%', '_', "'", '"', '\\', '\\\\', '{k}', 'k:1', '~'.repeat(255)]
      const sequences = await Promise.all(keys.map((key) => t.append(one.id, t.event({ key }))))
      assert.equal(new Set(sequences).size, keys.length)
      await t.append(two.id, t.event({ key: 'k' }))
      assert.equal((await t.read(two.id))?.events.length, 1, 'a key counts within its session')
      assert.deepEqual((await t.read(one.id))?.events.map(({ key }) => key).sort(), [...keys].sort())
    },
  },
  {
    id: 'events/only-live-sessions-have-events',
    law: 'events/needs-live-session',
    requires: ['events'],
    async run(t) {
      const never = t.record()
      const deleted = await t.stored()
      await t.delete(deleted.id)
      const expired = await t.stored({ ttlMs: 100 })
      t.clock.advance(99)
      assert.notEqual(await t.append(expired.id, t.event()), undefined, 'one millisecond before its end it is live')
      t.clock.advance(1)
      for (const { id } of [never, deleted, expired]) {
        assert.equal(await t.append(id, t.event()), undefined)
        assert.equal(await t.read(id), undefined)
        assert.equal(await t.create(t.record({ id })), true, 'an append creates no session')
        assert.deepEqual(await t.read(id), { events: [], last: 0, trimmed: false }, 'and leaves nothing behind')
      }
    },
  },
]
