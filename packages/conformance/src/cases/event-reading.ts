import assert from 'node:assert/strict'
import type { Case } from '../case.ts'
import { NEVER, sequencesOf } from './event-pages.ts'

export const eventReadingCases: readonly Case[] = [
  {
    id: 'events/a-new-session-has-none',
    law: ['events/read', 'events/trimmed'],
    requires: ['events'],
    async run(t) {
      const { id } = await t.stored()
      assert.deepEqual(await t.read(id), { events: [], last: 0, trimmed: false })
      assert.deepEqual(await t.read(id, { streams: ['main'] }), { events: [], last: 0, trimmed: false })
    },
  },
  {
    id: 'events/come-back-to-the-character',
    law: ['events/read', 'record/exact'],
    requires: ['events'],
    async run(t) {
      const { id } = await t.stored()
      const texts = [
        'x',
        ' ',
        '\n',
        '\u0001',
        '"',
        "'",
        '\\',
        '%',
        '*',
        'null',
        'é',
        'e\u0301',
        '\u{1F511}',
        '\ufeff',
        '\u2028',
        '\uffff',
        '{"a":1}',
        '!x',
        '1',
        '01',
      ]
      const events = texts.map((text, n) => t.event({ stream: text, data: n === 0 ? '' : text.repeat(3) }))
      for (const event of events) await t.append(id, event)
      const page = await t.read(id)
      assert.deepEqual(
        page?.events.map(({ key, stream, data }) => ({ key, stream, data })),
        events,
      )
      assert.deepEqual(new Set(page.events.map(({ createdAt }) => createdAt)), new Set([t.clock.now]), 'createdAt is the now of the append')
      for (const stream of texts) {
        assert.deepEqual(
          (await t.read(id, { streams: [stream] }))?.events.map((event) => event.stream),
          [stream],
        )
      }
    },
  },
  {
    id: 'events/do-not-cross-sessions',
    law: 'events/read',
    requires: ['events'],
    async run(t) {
      const ids = ['a', 'A', 'ab', 'a:', 'a:b', 'a*', '{a}', 'a\\', 'a!', 'a!b']
      for (const id of ids) await t.stored({ id })
      for (const id of ids) await t.append(id, t.event({ data: `of ${id}`, stream: 'b' }))
      for (const id of ids)
        assert.deepEqual(
          (await t.read(id))?.events.map(({ data }) => data),
          [`of ${id}`],
        )
      await t.delete('a')
      for (const id of ids.slice(1))
        assert.equal((await t.read(id))?.events.length, 1, `after the delete of another id ${id} keeps its own`)
    },
  },
  {
    id: 'events/read-begins-after-and-ends-at-limit',
    law: 'events/read',
    requires: ['events'],
    async run(t) {
      const { id } = await t.stored()
      const sequences: number[] = []
      for (let n = 0; n < 30; n += 1) sequences.push((await t.append(id, t.event({ stream: n % 3 === 0 ? 'three' : 'main' }))) ?? 0)
      const last = sequences[29]
      for (const [after, limit] of [
        [0, 30],
        [0, 1],
        [5, 3],
        [29, 5],
        [30, 5],
        [12, 10_000],
      ] as const) {
        const from = sequences[after - 1] ?? 0
        const page = await t.read(id, { after: from, limit })
        assert.deepEqual(sequencesOf(page), sequences.slice(after, after + limit), `after ${after} events, limit ${limit}`)
        assert.equal(page?.last, last)
      }
      const thirds = sequences.filter((_, n) => n % 3 === 0)
      const page = await t.read(id, { streams: ['three', 'absent'], after: thirds[1] ?? 0, limit: 4 })
      assert.deepEqual(sequencesOf(page), thirds.slice(2, 6))
      assert.equal(page?.last, last, 'last is the newest of the session, whatever its stream')
      assert.deepEqual(sequencesOf(await t.read(id, { streams: ['three', 'main'] })), sequences, 'streams are read together, in order')
      assert.deepEqual(sequencesOf(await t.read(id, { streams: ['absent'] })), [])
      assert.deepEqual(sequencesOf(await t.read(id, { streams: [] })), sequences, 'none are named: all')
    },
  },
  {
    id: 'events/read-skips-those-too-old',
    law: ['events/read', 'events/trimmed'],
    requires: ['events'],
    async run(t) {
      const { id } = await t.stored()
      const old = await t.append(id, t.event())
      t.clock.advance(100)
      const young = await t.append(id, t.event())
      const both = await t.read(id, { maxAgeMs: 100 })
      assert.deepEqual(sequencesOf(both), [old, young], 'at exactly maxAgeMs it is shown')
      assert.equal(both?.trimmed, false)
      const one = await t.read(id, { maxAgeMs: 99 })
      assert.deepEqual(sequencesOf(one), [young])
      assert.deepEqual([one?.trimmed, one?.last], [true, young], 'one that is too old counts as gone')
      assert.equal((await t.read(id, { maxAgeMs: 99, after: old ?? 0 }))?.trimmed, false, 'nothing after that one is too old')
      assert.deepEqual(sequencesOf(await t.read(id, { maxAgeMs: NEVER })), [old, young])
    },
  },
  {
    id: 'events/a-page-ends-at-4-mib',
    law: 'events/read',
    requires: ['events'],
    async run(t) {
      const { id } = await t.stored()
      const sequences: (number | undefined)[] = []
      for (let n = 0; n < 5; n += 1) sequences.push(await t.append(id, t.event({ data: 'x'.repeat(1_500_000) })))
      const seen: number[] = []
      for (let pages = 0; seen.length < 5; pages += 1) {
        assert.ok(pages < 6, 'every page brings at least one event')
        const page = await t.read(id, { after: seen.at(-1) ?? 0 })
        const found = sequencesOf(page)
        assert.ok(found.length >= 1 && found.length <= 3, `${found.length} events of 1.5 MB are more than a page of 4 MiB`)
        seen.push(...found)
      }
      assert.deepEqual(seen, sequences)
    },
  },
  {
    id: 'events/the-largest-event-fits',
    law: ['events/read', 'record/exact'],
    requires: ['events'],
    async run(t) {
      const { id } = await t.stored()
      const data = 'é'.repeat(2 * 1_024 * 1_024)
      const sequence = await t.append(id, t.event({ data }))
      const page = await t.read(id)
      assert.deepEqual(sequencesOf(page), [sequence])
      assert.ok(page?.events[0]?.data === data, '4 MiB of UTF-8 come back unchanged')
    },
  },
]
