import assert from 'node:assert/strict'
import type { ListPage, ListQuery, SessionBackend, SessionRecord } from '@mcp-session/core/backend'
import type { Case } from '../case.ts'
import { beside, nextTurn } from '../eventually.ts'
import type { Trial } from '../trial.ts'
import { assertSame, MANY, many } from './listing.ts'

export const cursorCases: readonly Case[] = [
  {
    id: 'list/foreign-cursors-are-refused',
    law: 'list/cursor',
    async run(t) {
      await many(t, 5, { owner: 'alice' })
      const { cursor } = await t.list({ limit: 2 })
      assert.ok(cursor, 'a page that is not the last has a cursor')
      const foreign = [
        '',
        'garbage',
        '%',
        '0',
        '-1',
        'null',
        `${cursor}!`,
        `!${cursor}`,
        [...cursor].reverse().join(''),
        Buffer.from('x').toString('base64url'),
      ]
      for (const text of foreign.filter((candidate) => candidate !== cursor)) {
        for (const query of [{}, { owner: 'alice' }, { prefix: 's_' }]) {
          await assert.rejects(
            async () => t.list({ ...query, limit: 2, cursor: text }),
            (error) => error instanceof TypeError,
            `cursor ${JSON.stringify(text)} is refused with a TypeError`,
          )
        }
      }
      assert.ok((await t.list({ limit: 2, cursor })).records.length > 0, 'the real one still works')
    },
  },
  {
    id: 'list/cursors-carry-no-secrets',
    law: 'list/cursor',
    async run(t) {
      const records = await many(t, 6, { owner: 'owner-of-these', data: 'data-of-these' })
      for (const query of [{}, { owner: 'owner-of-these' }, { prefix: 's_' }]) {
        const { cursor } = await t.list({ ...query, limit: 3 })
        assert.ok(cursor)
        const readings = [
          cursor,
          ...(['base64', 'base64url', 'hex', 'latin1'] as const).map((encoding) => Buffer.from(cursor, encoding).toString('latin1')),
        ]
        for (const reading of readings) {
          for (const { id } of records) assert.ok(!reading.includes(id), 'whoever holds a session id holds the session: none in a cursor')
          assert.ok(!reading.includes('data-of-these'))
        }
      }
    },
  },
  {
    id: 'list/cursors-survive-the-one-who-asked',
    law: ['list/cursor', 'list/complete'],
    requires: ['durable'],
    async run(t) {
      const records = await many(t, 12, { owner: 'alice' })
      const first = [await t.list({ limit: 5 }), await t.list({ limit: 5, owner: 'alice' })]
      const calls = await t.reopened()
      for (const [n, query] of [{}, { owner: 'alice' }].entries()) {
        const page = first[n]
        assert.ok(page)
        assertSame([...page.records, ...(await rest(page, (cursor) => calls.list({ ...query, limit: 5, cursor })))], records)
      }
    },
  },
  {
    id: 'list/cursors-work-on-another-node',
    law: ['list/cursor', 'list/complete'],
    requires: ['shared'],
    async run(t) {
      const other = await t.another()
      await handedAround(t, t.backend, other)
    },
  },
  {
    id: 'list/cursors-work-in-another-process',
    law: ['list/cursor', 'list/complete'],
    requires: ['shared-by-processes'],
    async run(t) {
      const { backend } = await t.secondProcess()
      await handedAround(t, t.backend, backend)
    },
  },
  {
    id: 'list/an-owner-does-not-pay-for-others',
    law: 'list/owner-cost',
    async run(t) {
      await many(t, 250, { owner: 'crowd' })
      const own = await many(t, 4, { owner: 'alice' })
      await many(t, 50)
      let pages = 0
      let cursor: string | undefined
      const listed: SessionRecord[] = []
      do {
        const page = await t.list({ owner: 'alice', limit: 2, ...(cursor === undefined ? {} : { cursor }) })
        listed.push(...page.records)
        cursor = page.cursor
        pages += 1
      } while (cursor !== undefined && pages < 400)
      assertSame(listed, own)
      assert.ok(pages <= 4, `4 sessions of an owner among 304 took ${pages} pages of 2: the others are walked through`)
    },
  },
  {
    id: 'list/owner-never-misses-a-readable-session',
    law: 'list/owner-cost',
    async run(t) {
      for (let round = 0; round < 15; round += 1) {
        const record = t.record({ owner: `owner ${round}` })
        let created = false
        const creating = t.create(record).then(() => {
          created = true
        })
        beside(creating)
        let readable = false
        do {
          await nextTurn()
          readable = (await t.get(record.id)) !== undefined
          if (!readable) continue
          assert.deepEqual(await t.listAll({ owner: `owner ${round}` }), [record], 'it can be read, so the listing of its owner has it')
        } while (!readable && !created)
        await creating
        assert.deepEqual(await t.listAll({ owner: `owner ${round}` }), [record])
      }
    },
  },
  {
    id: 'list/owner-sees-no-dead-sessions',
    law: ['list/filters', 'list/owner-cost'],
    async run(t) {
      const records = await many(t, 9, { owner: 'alice', ttlMs: 1_000 })
      const [deleted, given, reborn] = records
      assert.ok(deleted && given && reborn)
      await t.delete(deleted.id)
      await t.replace(t.successor(given, { owner: 'bob' }), given.rev)
      await t.delete(reborn.id)
      await t.create(t.record({ id: reborn.id, owner: 'carol' }))
      assertSame(await t.listAll({ owner: 'alice', limit: 2 }), records.slice(3))
      t.clock.advance(1_000)
      assert.deepEqual(await t.listAll({ owner: 'alice' }), [])
      await t.deleteExpired()
      assert.deepEqual(await t.listAll({ owner: 'alice' }), [])
    },
  },
]

/** Two readers take turns at one listing, with another cursor each time. */
async function handedAround(t: Trial, one: SessionBackend, two: SessionBackend): Promise<void> {
  const records = await many(t, 14, { owner: 'alice' })
  for (const query of [{ limit: 3 }, { limit: 3, owner: 'alice' }, { limit: 3, prefix: 's_' }] satisfies ListQuery[]) {
    const readers = [one, two]
    const first = await one.list(query, t.call())
    const others = await rest(first, (cursor) => {
      readers.reverse()
      return (readers[0] ?? one).list({ ...query, cursor }, t.call())
    })
    assertSame([...first.records, ...others], records)
  }
}

async function rest(page: ListPage, next: (cursor: string) => Promise<ListPage>): Promise<SessionRecord[]> {
  const records: SessionRecord[] = []
  let { cursor } = page
  for (let pages = 0; cursor !== undefined; pages += 1) {
    assert.ok(pages < MANY, 'the listing ends')
    const following = await next(cursor)
    records.push(...following.records)
    cursor = following.cursor
  }
  return records
}
