import assert from 'node:assert/strict'
import type { Case } from '../case.ts'

export const hostileCases: readonly Case[] = [
  {
    id: 'hostile/every-visible-character-in-ids-and-revs',
    law: 'record/exact',
    async run(t) {
      const visible = Array.from({ length: 0x7e - 0x20 }, (_, n) => String.fromCharCode(0x21 + n))
      const records = []
      for (const char of visible) {
        for (const id of [char, `s_${char}${char}x`]) records.push(await t.stored({ id, rev: `${char}r`, prevRev: char }))
      }
      for (const record of records) {
        assert.deepEqual(await t.get(record.id), record, `id ${record.id}`)
        assert.deepEqual(await t.replace(t.successor(record), `${record.rev}r`), { replaced: false, current: record })
      }
      const listed = await t.listAll({ limit: 17 })
      assert.deepEqual(new Set(listed.map(({ id }) => id)), new Set(records.map(({ id }) => id)))
    },
  },
  {
    id: 'hostile/ids-that-engines-and-file-systems-read-into',
    law: 'record/exact',
    async run(t) {
      const ids = [
        ...['../evil', '/etc/passwd', '..', '.', 'a/b', 'a\\b', 'C:\\x', 'CON', 'nul.txt', 'a.', '~', '-rf', '--'],
        ...[
          "x';drop/**/table/**/sessions;--",
          '"x"',
          '`x`',
          '$1',
          '?1',
          ':x',
          '@x',
          '%00',
          '%2e%2e',
          '\\0',
          '\\u0000',
          '&lt;',
          '${x}',
          '{{x}}',
          '#{x}',
        ],
        ...[
          '*',
          'a*',
          '?',
          '[a-z]',
          '{a}',
          '{a}{b}',
          '{}',
          'a:b:c',
          'KEYS',
          'null',
          'undefined',
          'NaN',
          'true',
          '0',
          '1',
          '01',
          '1e3',
          '0x10',
          '-0',
        ],
        ...['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'prototype', '!', '!hb_x', 's_'],
      ]
      const records = []
      for (const id of ids) records.push(await t.stored({ id, owner: id, data: id }))
      for (const record of records) assert.deepEqual(await t.get(record.id), record, `id ${record.id}`)
      for (const record of records) {
        assert.equal(await t.delete(record.id), true)
        assert.equal(await t.get(record.id), undefined)
      }
      assert.deepEqual(await t.listAll(), [], 'each delete took its own and only its own')
    },
  },
  {
    id: 'hostile/ids-that-differ-in-case-only',
    law: 'record/exact',
    async run(t) {
      const upper = await t.stored({ id: 's_ABC' })
      const lower = await t.stored({ id: 's_abc' })
      const mixed = await t.stored({ id: 's_aBc' })
      assert.deepEqual(await t.get('s_ABC'), upper)
      assert.deepEqual(await t.get('s_abc'), lower)
      assert.equal(await t.get('S_ABC'), undefined)
      assert.equal(await t.delete('s_abc'), true)
      assert.deepEqual(await t.get('s_ABC'), upper)
      assert.deepEqual(await t.get('s_aBc'), mixed)
    },
  },
  {
    id: 'hostile/ids-of-any-length-to-255',
    law: 'record/exact',
    async run(t) {
      const ids = [1, 2, 63, 64, 65, 127, 128, 191, 192, 200, 254, 255].map((length) => 'x'.repeat(length))
      const twins = ['a', 'b'].map((last) => 'y'.repeat(254) + last)
      const records = []
      for (const id of [...ids, ...twins]) records.push(await t.stored({ id, rev: 'r'.repeat(64) }))
      for (const record of records) assert.deepEqual(await t.get(record.id), record, `an id of ${record.id.length} characters`)
      const longest = records.at(-1)
      assert.ok(longest)
      assert.deepEqual(
        (await t.listAll({ prefix: longest.id })).map(({ id }) => id),
        [longest.id],
      )
    },
  },
  {
    id: 'hostile/every-well-formed-text-in-data-and-owner',
    law: 'record/exact',
    async run(t) {
      const texts = [
        '',
        ' ',
        Array.from({ length: 0x1f }, (_, n) => String.fromCharCode(n + 1)).join(''),
        '\u007f\u0080\u009f\u00a0\u00ad',
        '\ufeffbom',
        '\u2028\u2029\u200b\u200d\u202e',
        '\ufdd0\ufffe\uffff\u{1ffff}\u{10ffff}',
        'é e\u0301 \u212b \u00c5',
        '\u{1F469}\u200d\u{1F469}\u200d\u{1F467}',
        '\ud7ff\ue000',
        "'; drop table sessions; --",
        '\\x00 \\u0000 \\\\ \\n \\',
        '"{}[]:,\'`$%&#;?*',
        '\r\n\r\t\v\f\b',
        'null',
        '123456789012345678901234567890.0',
        ' trailing and leading ',
      ]
      for (const text of texts) {
        const record = await t.stored({ owner: text, data: text })
        assert.deepEqual(await t.get(record.id), record, JSON.stringify(text))
        assert.deepEqual(await t.listAll({ owner: text }), [record])
        const next = t.successor(record, { data: `${text}${text}` })
        await t.replace(next, record.rev)
        assert.deepEqual(await t.get(record.id), next)
      }
    },
  },
  {
    id: 'hostile/every-character-of-unicode-in-data',
    law: 'record/exact',
    async run(t) {
      for (let start = 1; start < 0x110000; start += 0x10000) {
        let data = ''
        for (let code = start; code < Math.min(start + 0x10000, 0x110000); code += 1) {
          if (code < 0xd800 || code > 0xdfff) data += String.fromCodePoint(code)
        }
        const record = await t.stored({ data })
        const read = await t.get(record.id)
        assert.ok(read?.data === data, `the characters from U+${start.toString(16)} on come back unchanged`)
      }
    },
  },
  {
    id: 'hostile/the-largest-record-fits',
    law: 'record/exact',
    async run(t) {
      const big = { owner: 'é'.repeat(512), data: '\u{1F511}'.repeat(512 * 1_024) }
      const record = await t.stored({ ...big, id: 'x'.repeat(255), rev: 'r'.repeat(64), prevRev: 'p'.repeat(64) })
      assert.ok(Buffer.byteLength(big.data) === 2 * 1_024 * 1_024)
      assert.deepEqual(await t.get(record.id), record)
      assert.deepEqual(await t.listAll({ owner: big.owner }), [record])
      const next = t.successor(record, { data: 'x'.repeat(2 * 1_024 * 1_024) })
      assert.deepEqual(await t.replace(next, record.rev), { replaced: true })
      assert.deepEqual(await t.get(record.id), next)
    },
  },
  {
    id: 'hostile/instants-and-windows-at-their-limits',
    law: 'record/exact',
    async run(t) {
      const max = Number.MAX_SAFE_INTEGER
      const never = Number.POSITIVE_INFINITY
      const fields = [
        { createdAt: 0, lastAccessedAt: 0, ttlMs: max, mustEndAt: max, expiresAt: max },
        { createdAt: 1, lastAccessedAt: max, ttlMs: never, mustEndAt: never, expiresAt: never },
        { createdAt: max, lastAccessedAt: max, ttlMs: 0, mustEndAt: max - 1, expiresAt: max - 1 },
        { createdAt: 2 ** 31, lastAccessedAt: 2 ** 32 + 1, ttlMs: 2 ** 53 - 2, mustEndAt: never, expiresAt: 2 ** 53 - 2 },
        { createdAt: 2 ** 31 - 1, lastAccessedAt: 2 ** 40 + 1, ttlMs: never, mustEndAt: 2 ** 52 + 1, expiresAt: 2 ** 52 + 1 },
      ]
      for (const instants of fields) {
        const record = await t.stored(instants)
        assert.deepEqual(await t.get(record.id), record)
      }
      assert.equal((await t.listAll()).length, fields.length)
    },
  },
  {
    id: 'hostile/no-owner-is-not-an-empty-owner',
    law: 'record/exact',
    async run(t) {
      const unowned = await t.stored({ owner: null })
      const empty = await t.stored({ owner: '' })
      assert.equal((await t.get(unowned.id))?.owner, null)
      assert.equal((await t.get(empty.id))?.owner, '')
      assert.deepEqual(await t.listAll({ owner: '' }), [empty])
    },
  },
  {
    id: 'hostile/records-are-detached',
    law: 'record/detached',
    async run(t) {
      const given = { ...t.record({ owner: 'alice' }) }
      const kept = { ...given }
      await t.create(given)
      change(given)
      assert.deepEqual(await t.get(kept.id), kept, 'what was handed in is changed afterwards')
      for (const handedOut of [await t.get(kept.id), (await t.list()).records[0], (await t.list({ owner: 'alice' })).records[0]]) {
        change(handedOut)
        assert.deepEqual(await t.get(kept.id), kept, 'what was handed out is changed')
      }
      const lost = await t.replace(t.successor(kept), 'another')
      change(lost.replaced ? undefined : lost.current)
      assert.deepEqual(await t.get(kept.id), kept, 'the current of a loser is changed')
      const next = { ...t.successor(kept) }
      const nextKept = { ...next }
      await t.replace(next, kept.rev)
      change(next)
      assert.deepEqual(await t.get(kept.id), nextKept)
      assert.deepEqual(await t.listAll({ owner: 'alice' }), [nextKept])
    },
  },
  {
    id: 'hostile/events-are-detached',
    law: 'record/detached',
    requires: ['events'],
    async run(t) {
      const { id } = await t.stored()
      const event = { ...t.event() }
      const kept = { ...event }
      const sequence = await t.append(id, event)
      change(event)
      for (let reads = 0; reads < 2; reads += 1) {
        const page = await t.read(id)
        const [stored] = page?.events ?? []
        assert.deepEqual(stored, { ...kept, sequence, createdAt: t.clock.now })
        change(stored)
      }
    },
  },
]

/** Changes what can be changed: a frozen object protects itself. */
function change(value: object | undefined): void {
  if (value === undefined) return
  for (const key of Object.keys(value)) Reflect.set(value, key, key === 'data' || key === 'rev' ? 'changed' : 1)
}
