import assert from 'node:assert/strict'
import type { EventPage } from '@mcp-session/core/backend'
import type { Case } from '../case.ts'
import { sequencesOf } from './event-pages.ts'

export const eventRetentionCases: readonly Case[] = [
  {
    id: 'events/retention-by-count',
    law: ['events/retention', 'events/trimmed'],
    requires: ['events'],
    async run(t) {
      const { id } = await t.stored()
      const sequences: number[] = []
      for (let n = 0; n < 6; n += 1) sequences.push((await t.append(id, t.event(), { maxEvents: 3 })) ?? 0)
      const page = await t.read(id)
      assert.deepEqual(sequencesOf(page), sequences.slice(3), 'the three newest')
      assert.deepEqual([page?.trimmed, page?.last], [true, sequences[5]])
    },
  },
  {
    id: 'events/retention-by-bytes',
    law: 'events/retention',
    requires: ['events'],
    async run(t) {
      const { id } = await t.stored()
      const sequences: number[] = []
      // 'é' has two bytes: 4 events of 10 bytes each fit into 40, by characters 8 would.
      for (let n = 0; n < 6; n += 1) sequences.push((await t.append(id, t.event({ data: 'é'.repeat(5) }), { maxBytes: 40 })) ?? 0)
      assert.deepEqual(sequencesOf(await t.read(id)), sequences.slice(2))
      const big = await t.append(id, t.event({ data: 'x'.repeat(41) }), { maxBytes: 40 })
      assert.deepEqual(sequencesOf(await t.read(id)), [big], 'the newest stays, even when it is too large alone')
      const empty = await t.append(id, t.event({ data: '' }), { maxBytes: 0 })
      assert.deepEqual(sequencesOf(await t.read(id)), [empty])
    },
  },
  {
    id: 'events/retention-by-age',
    law: 'events/retention',
    requires: ['events'],
    async run(t) {
      const { id } = await t.stored()
      await t.append(id, t.event(), { maxAgeMs: 50 })
      t.clock.advance(1)
      const kept = await t.append(id, t.event(), { maxAgeMs: 50 })
      t.clock.advance(50)
      const newest = await t.append(id, t.event(), { maxAgeMs: 50 })
      assert.deepEqual(sequencesOf(await t.read(id)), [kept, newest], 'older than 50 ms: gone; exactly 50: kept')
      t.clock.advance(1_000)
      assert.deepEqual(sequencesOf(await t.read(id)), [kept, newest], 'only append trims')
    },
  },
  {
    id: 'events/retention-keeps-the-newest',
    law: 'events/retention',
    requires: ['events'],
    async run(t) {
      const { id } = await t.stored()
      const first = await t.append(id, t.event(), { maxEvents: 0, maxBytes: 0, maxAgeMs: 0 })
      assert.deepEqual(sequencesOf(await t.read(id)), [first])
      const second = await t.append(id, t.event(), { maxEvents: 0 })
      assert.deepEqual(sequencesOf(await t.read(id)), [second])
    },
  },
  {
    id: 'events/internal-streams-are-exempt',
    law: ['events/retention', 'events/trimmed'],
    requires: ['events'],
    async run(t) {
      const { id } = await t.stored()
      const internal = [await t.append(id, t.event({ stream: '!a', data: 'x'.repeat(50) }), { maxEvents: 2 })]
      const ordinary: (number | undefined)[] = []
      for (let n = 0; n < 4; n += 1) {
        ordinary.push(await t.append(id, t.event({ data: 'x'.repeat(10) }), { maxEvents: 2, maxBytes: 25 }))
        internal.push(await t.append(id, t.event({ stream: '!b', data: 'x'.repeat(50) }), { maxEvents: 2, maxBytes: 25, maxAgeMs: 1_000 }))
      }
      assert.deepEqual(sequencesOf(await t.read(id, { streams: ['!a', '!b'] })), internal, 'none of them is trimmed')
      assert.deepEqual(sequencesOf(await t.read(id, { streams: ['main'] })), ordinary.slice(2), 'and none of them is counted')
      assert.equal((await t.read(id, { streams: ['!a', '!b'] }))?.trimmed, false)
      assert.equal((await t.read(id, { streams: ['main'] }))?.trimmed, true)
      assert.deepEqual(sequencesOf(await t.read(id, { streams: ['!a'] })), internal.slice(0, 1))
    },
  },
  {
    id: 'events/internal-streams-have-an-age-of-their-own',
    law: ['events/retention', 'events/trimmed'],
    requires: ['events'],
    async run(t) {
      const { id } = await t.stored()
      const bounds = { maxEvents: 2, maxInternalAgeMs: 100 }
      const ordinary = [await t.append(id, t.event(), bounds)]
      const old = await t.append(id, t.event({ stream: '!a' }), bounds)
      t.clock.advance(50)
      const young = await t.append(id, t.event({ stream: '!b' }), bounds)
      t.clock.advance(50)
      ordinary.push(await t.append(id, t.event(), bounds))
      assert.deepEqual(sequencesOf(await t.read(id, { streams: ['!a', '!b'] })), [old, young], 'exactly 100 ms: kept')
      t.clock.advance(1)
      ordinary.push(await t.append(id, t.event(), { maxEvents: 2 }))
      assert.deepEqual(sequencesOf(await t.read(id, { streams: ['!a', '!b'] })), [old, young], 'no such bound, no such trimming')
      ordinary.push(await t.append(id, t.event(), bounds))
      assert.deepEqual(sequencesOf(await t.read(id, { streams: ['!a', '!b'] })), [young], 'older than 100 ms: gone')
      assert.deepEqual(sequencesOf(await t.read(id, { streams: ['main'] })), ordinary.slice(2), 'which has no say in what others keep')
      assert.deepEqual(
        [(await t.read(id, { streams: ['!a'] }))?.trimmed, (await t.read(id, { streams: ['!b'] }))?.trimmed],
        [true, false],
        'and shows as trimmed',
      )
      t.clock.advance(1_000)
      const newest = await t.append(id, t.event({ stream: '!b' }), { ...bounds, maxInternalAgeMs: 0 })
      assert.deepEqual(sequencesOf(await t.read(id, { streams: ['!a', '!b'] })), [newest], 'all but the newest')
      t.clock.advance(1)
      for (let n = 0; n < 40; n += 1) await t.append(id, t.event({ stream: `!${n}` }), { ...bounds, maxInternalAgeMs: n })
      assert.equal((await t.read(id, { streams: ['!b'] }))?.events.length, 0, 'many later ones do not hide it')
    },
  },
  {
    id: 'events/key-of-a-trimmed-event-may-be-new',
    law: ['events/idempotent', 'events/sequence'],
    requires: ['events'],
    async run(t) {
      const { id } = await t.stored()
      const event = t.event()
      const first = (await t.append(id, event, { maxEvents: 1 })) ?? 0
      const second = (await t.append(id, t.event(), { maxEvents: 1 })) ?? 0
      const again = (await t.append(id, event, { maxEvents: 2 })) ?? 0
      // Within retention the key is remembered; beyond it the backend may have forgotten it. Never a number in between.
      assert.ok(again === first || again > second, `${again}: neither the first sequence, ${first}, nor a new one`)
    },
  },
  {
    id: 'events/trimmed-speaks-of-the-streams-asked-for',
    law: 'events/trimmed',
    requires: ['events'],
    async run(t) {
      const { id } = await t.stored()
      const a1 = (await t.append(id, t.event({ stream: 'a' }))) ?? 0
      const b1 = (await t.append(id, t.event({ stream: 'b' }))) ?? 0
      const b2 = (await t.append(id, t.event({ stream: 'b' }), { maxEvents: 2 })) ?? 0
      const trimmed = async (after: number, ...streams: string[]): Promise<boolean | undefined> =>
        (await t.read(id, { after, ...(streams.length === 0 ? {} : { streams }) }))?.trimmed
      assert.equal(await trimmed(0), true, 'the first event of all streams is gone')
      assert.equal(await trimmed(0, 'a'), true, 'it was of stream a')
      assert.equal(await trimmed(0, 'b'), false, 'nothing of stream b is gone')
      assert.equal(await trimmed(0, 'a', 'b'), true)
      assert.equal(await trimmed(0, 'c'), false)
      assert.equal(await trimmed(a1), false, 'whoever has seen it misses nothing')
      assert.equal(await trimmed(a1, 'a'), false)
      assert.equal(await trimmed(b2), false)
      assert.equal(await trimmed(b2 + 1), true, 'after beyond last: of another life of this id')
      assert.equal(await trimmed(b2 + 1, 'b'), true)
      await t.append(id, t.event({ stream: 'b' }), { maxEvents: 1 })
      assert.equal(await trimmed(a1, 'b'), true, 'now events of b are gone, too')
      assert.equal(await trimmed(b1, 'b'), true)
      assert.equal(await trimmed(b2, 'b'), false)
      assert.equal(await trimmed(a1, 'a'), false, 'and of a no more than before')
    },
  },
  {
    id: 'events/trimmed-is-false-for-a-full-log',
    law: 'events/trimmed',
    requires: ['events'],
    async run(t) {
      const { id } = await t.stored()
      for (let n = 0; n < 5; n += 1) await t.append(id, t.event(), { maxEvents: 5 })
      const page = await t.read(id, { limit: 2 })
      assert.equal(page?.trimmed, false, 'that more is to be read does not mean that something is gone')
      assert.equal((await t.read(id, { after: page.last }))?.trimmed, false)
    },
  },
  {
    id: 'events/trimmed-is-kept-by-reopen',
    law: ['events/trimmed', 'lifecycle/reopen'],
    requires: ['events', 'durable'],
    async run(t) {
      const { id } = await t.stored()
      await t.append(id, t.event({ stream: 'a' }))
      await t.append(id, t.event({ stream: 'b' }), { maxEvents: 1 })
      const queries = [{}, { streams: ['a'] }, { streams: ['b'] }, { after: 1 }, { after: 9 }]
      const before = await Promise.all(queries.map((query) => t.read(id, query)))
      const calls = await t.reopened()
      assert.deepEqual(await Promise.all(queries.map((query) => calls.read(id, query))), before)
    },
  },
  {
    id: 'events/restore-keeps-sequences-keys-and-instants',
    law: 'events/restore',
    requires: ['events'],
    async run(t) {
      const { id } = await t.stored()
      const events = [7, 9, 30].map((sequence) => ({ ...t.event(), sequence, createdAt: t.clock.now - 1_000 + sequence }))
      assert.equal(await t.restore(id, { events, last: 40, trimmed: false }), true)
      const page = await t.read(id)
      assert.deepEqual(page?.events, events)
      assert.equal(page.last, 40, 'last is kept, also beyond the newest event')
      assert.equal(await t.append(id, { ...t.event(), key: events[1]?.key ?? '' }), 9, 'its keys are known')
      const next = await t.append(id, t.event())
      assert.ok(next !== undefined && next > 40, `sequences go on after last: ${next}`)
    },
  },
  {
    id: 'events/restore-leaves-what-is-there',
    law: 'events/restore',
    requires: ['events'],
    async run(t) {
      const { id } = await t.stored()
      for (let n = 0; n < 3; n += 1) await t.append(id, t.event({ data: `own ${n}` }))
      const before = await t.read(id)
      assert.ok(before)
      const foreign = { ...before, events: before.events.map((event) => ({ ...event, data: 'foreign' })) }
      assert.equal(await t.restore(id, foreign), true)
      assert.deepEqual(await t.read(id), before)
      assert.equal(await t.restore(id, before), true, 'twice is as good as once')
      assert.deepEqual(await t.read(id), before)
      assert.equal(await t.restore(id, { events: [], last: 1, trimmed: false }), true)
      assert.equal((await t.read(id))?.last, before.last, 'last does not go back')
    },
  },
  {
    id: 'events/restore-page-by-page-copies-a-log',
    law: 'events/restore',
    requires: ['events'],
    async run(t) {
      const [from, to] = [await t.stored(), await t.stored()]
      for (let n = 0; n < 9; n += 1) {
        await t.append(from.id, t.event({ stream: n % 4 === 0 ? '!x' : 'main' }), { maxEvents: 5 })
        t.clock.advance(3)
      }
      const all = await t.read(from.id)
      for (let after = 0; ; ) {
        const page: EventPage | undefined = await t.read(from.id, { after, limit: 2 })
        assert.ok(page)
        assert.equal(await t.restore(to.id, page), true)
        if (page.events.length === 0) break
        after = page.events.at(-1)?.sequence ?? after
      }
      const copy = await t.read(to.id)
      assert.deepEqual([copy?.events, copy?.last], [all?.events, all?.last])
    },
  },
  {
    id: 'events/restore-needs-a-live-session',
    law: ['events/restore', 'events/needs-live-session'],
    requires: ['events'],
    async run(t) {
      const page = { events: [{ ...t.event(), sequence: 1, createdAt: t.clock.now }], last: 1, trimmed: false }
      const expired = await t.stored({ ttlMs: 5 })
      t.clock.advance(5)
      for (const id of [t.record().id, expired.id]) {
        assert.equal(await t.restore(id, page), false)
        await t.create(t.record({ id }))
        assert.deepEqual(await t.read(id), { events: [], last: 0, trimmed: false }, 'nothing was stored')
      }
    },
  },
]
