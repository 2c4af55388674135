import assert from 'node:assert/strict'
import type { SessionRecord } from '@mcp-session/core/backend'
import type { Case } from '../case.ts'
import type { Trial } from '../trial.ts'

/** A page may be empty and still have a cursor: engines that walk through what is not theirs have many such pages. */
export const MANY = 10_000

export const listingCases: readonly Case[] = [
  {
    id: 'list/an-empty-store-lists-nothing',
    law: 'list/complete',
    async run(t) {
      assert.deepEqual(await t.listAll(), [])
      assert.deepEqual(await t.listAll({ owner: 'nobody' }), [])
    },
  },
  {
    id: 'list/pages-of-any-size-show-all',
    law: ['list/complete', 'list/pages', 'record/exact'],
    async run(t) {
      const records = await many(t, 23)
      for (const limit of [1, 2, 7, 22, 23, 24, 10_000]) {
        let cursor: string | undefined
        const listed: SessionRecord[] = []
        do {
          const page = await t.list({ limit, ...(cursor === undefined ? {} : { cursor }) })
          assert.ok(page.records.length <= limit, `a page of limit ${limit} has ${page.records.length}`)
          listed.push(...page.records)
          cursor = page.cursor
          assert.ok(listed.length < 200, 'the listing ends')
        } while (cursor !== undefined)
        assertSame(listed, records)
      }
    },
  },
  {
    id: 'list/survivors-appear-whatever-is-deleted-or-created',
    law: 'list/complete',
    async run(t) {
      for (let round = 0; round < 4; round += 1) {
        const records = await many(t, 40)
        const survivors = new Set(records.filter((_, n) => n % 2 === 0).map(({ id }) => id))
        let doomed = t.random.shuffle(records.filter(({ id }) => !survivors.has(id)))
        const seen = new Set<string>()
        let cursor: string | undefined
        let pages = 0
        do {
          const page = await t.list({ limit: 5, ...(cursor === undefined ? {} : { cursor }) })
          for (const { id } of page.records) seen.add(id)
          // Those that were listed just now, too: an offset would then skip as many of the next page.
          for (const { id } of page.records) if (!survivors.has(id)) await t.delete(id)
          for (const { id } of doomed.slice(0, 3)) await t.delete(id)
          doomed = doomed.slice(3)
          await t.stored()
          cursor = page.cursor
          pages += 1
          assert.ok(pages < MANY, 'the listing ends although sessions are created meanwhile')
        } while (cursor !== undefined)
        const missing = [...survivors].filter((id) => !seen.has(id))
        assert.deepEqual(missing, [], 'sessions that lived throughout the listing and did not appear in it')
        for (const { id } of await t.listAll({ data: false })) await t.delete(id)
      }
    },
  },
  {
    id: 'list/renewed-and-rewritten-sessions-still-appear',
    law: 'list/complete',
    async run(t) {
      const records = await many(t, 30, { owner: 'alice' })
      for (const query of [{}, { owner: 'alice' }, { prefix: 's_' }]) {
        const seen = new Set<string>()
        let cursor: string | undefined
        do {
          const page = await t.list({ ...query, limit: 4, ...(cursor === undefined ? {} : { cursor }) })
          for (const { id } of page.records) seen.add(id)
          for (const { id } of t.random.shuffle(records).slice(0, 5)) {
            const current = await t.get(id)
            assert.ok(current)
            if (t.random.integer(2) === 0) await t.replace(t.successor(current), current.rev)
            else await t.touch({ id, rev: current.rev, lastAccessedAt: current.lastAccessedAt + 1, expiresAt: current.expiresAt + 1 })
          }
          cursor = page.cursor
        } while (cursor !== undefined)
        assert.equal(seen.size, 30, 'a session that was touched or replaced during the listing lived throughout it')
      }
    },
  },
  {
    id: 'list/owner-is-matched-to-the-character',
    law: ['list/filters', 'record/exact'],
    async run(t) {
      const owners = [
        'a',
        'A',
        'ab',
        'a ',
        ' a',
        'a*',
        'a%',
        'a_',
        'ax',
        '',
        'null',
        'undefined',
        '0',
        '00',
        '["i","s"]',
        'é',
        'e\u0301',
        '\u{1F511}',
        'o\no',
        '\u0001',
      ]
      const records = await Promise.all([...owners, null].map((owner) => t.stored({ owner })))
      for (const [n, owner] of owners.entries()) {
        assert.deepEqual(await t.listAll({ owner }), [records[n]], `owner ${JSON.stringify(owner)}`)
      }
      assert.deepEqual(await t.listAll({ owner: 'b' }), [])
    },
  },
  {
    id: 'list/prefix-is-matched-to-the-character',
    law: ['list/filters', 'record/exact'],
    async run(t) {
      const ids = [
        'a',
        'A',
        'ab',
        'aB',
        'a*',
        'a*b',
        'a?',
        'a%',
        'a_',
        'a_b',
        'axb',
        'a[b]',
        'a\\',
        'a\\b',
        "a'",
        'a"',
        'a{b}',
        '!a',
        '~~',
        '~',
      ]
      const records = await Promise.all(ids.map((id) => t.stored({ id })))
      for (const prefix of ['', ...ids, 'a[', 'a{', '!', 'b', '~~~']) {
        const wanted = records.filter(({ id }) => id.startsWith(prefix))
        assertSame(await t.listAll({ prefix, limit: 3 }), wanted, `prefix ${JSON.stringify(prefix)}`)
      }
    },
  },
  {
    id: 'list/owner-and-prefix-narrow-together',
    law: 'list/filters',
    async run(t) {
      const wanted = await Promise.all([1, 2, 3].map((n) => t.stored({ id: `cart_${n}`, owner: 'alice' })))
      await t.stored({ id: 'cart_4', owner: 'bob' })
      await t.stored({ id: 's_5', owner: 'alice' })
      await t.stored({ id: 'cart_6', owner: null })
      assertSame(await t.listAll({ prefix: 'cart_', owner: 'alice', limit: 1 }), wanted)
    },
  },
  {
    id: 'list/a-page-ends-at-4-mib',
    law: 'list/pages',
    async run(t) {
      const data = 'x'.repeat(1_500_000)
      const records = await Promise.all(Array.from({ length: 7 }, () => t.stored({ owner: 'alice', data })))
      for (const query of [{}, { owner: 'alice' }, { prefix: 's_' }]) {
        let cursor: string | undefined
        const listed: SessionRecord[] = []
        do {
          const page = await t.list({ ...query, ...(cursor === undefined ? {} : { cursor }) })
          assert.ok(page.records.length <= 3, `${page.records.length} records of 1.5 MB are more than a page of 4 MiB`)
          listed.push(...page.records)
          cursor = page.cursor
        } while (cursor !== undefined)
        assert.deepEqual(new Set(listed.map(({ id }) => id)), new Set(records.map(({ id }) => id)))
      }
    },
  },
  {
    id: 'list/headers-have-everything-but-data',
    law: 'list/headers',
    async run(t) {
      const fields = { owner: 'alice', prevRev: 'p', ttlMs: 5_000, mustEndAt: t.clock.now + 4_000, data: 'secret' }
      const records = await many(t, 5, fields)
      const headers = records.map((record) => ({ ...record, data: '' }))
      assertSame(await t.listAll({ data: false }), headers)
      assertSame(await t.listAll({ data: false, owner: 'alice', limit: 2 }), headers)
      assertSame(await t.listAll({ data: true }), records)
      assert.deepEqual(await t.get(records[0]?.id ?? ''), records[0], 'what is stored keeps its data')
    },
  },
]

export function many(t: Trial, count: number, fields: Partial<SessionRecord> = {}): Promise<SessionRecord[]> {
  return Promise.all(Array.from({ length: count }, () => t.stored(fields)))
}

/** The same records, in any order, each at least once. */
export function assertSame(actual: readonly SessionRecord[], expected: readonly SessionRecord[], message?: string): void {
  const sorted = (records: readonly SessionRecord[]) => [...new Map(records.map((record) => [record.id, record])).entries()].sort(byId)
  assert.deepEqual(sorted(actual), sorted(expected), message)
}

function byId([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1
}
