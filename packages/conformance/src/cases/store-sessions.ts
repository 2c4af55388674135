import assert from 'node:assert/strict'
import { SessionError, type Sessions } from '@mcp-session/core'
import { alteredBackend } from '../altered-backend.ts'
import type { Case } from '../case.ts'
import { openStore } from '../stores.ts'

export const storeSessionCases: readonly Case[] = [
  {
    id: 'store/one-of-many-consumers-gets-it',
    law: ['store/consume-once', 'delete/says-what-was-there'],
    async run(t) {
      const sessions = await openStore(t)
      for (let round = 0; round < 5; round += 1) {
        const { id } = await sessions.create({ once: true })
        const got = await Promise.all(Array.from({ length: 10 }, () => sessions.consume(id)))
        assert.deepEqual(
          got.filter((session) => session !== undefined).map(({ metadata }) => metadata),
          [{ once: true }],
        )
        assert.equal(await sessions.retrieve(id), undefined)
      }
    },
  },
  {
    id: 'store/one-of-two-nodes-consumes-it',
    law: ['store/consume-once', 'delete/says-what-was-there'],
    requires: ['shared'],
    async run(t) {
      const stores = [await openStore(t), await openStore(t, {}, await t.another())]
      for (let round = 0; round < 10; round += 1) {
        const id = (await stores[0]?.create())?.id ?? ''
        const got = await Promise.all(stores.map((sessions) => sessions.consume(id)))
        assert.equal(got.filter((session) => session !== undefined).length, 1)
      }
    },
  },
  {
    id: 'store/rotate-moves-a-session',
    law: 'store/rotate',
    async run(t) {
      const sessions = await openStore(t, { ttlMs: 10_000, maxLifetimeMs: 50_000 })
      const old = await sessions.create({ user: 'alice' }, { owner: 'anonymous', context: { c: 1 } })
      const moved = await sessions.rotate(old.id, { newOwner: 'alice' })
      assert.ok(moved)
      assert.notEqual(moved.id, old.id)
      assert.deepEqual([moved.metadata, moved.context, moved.owner], [{ user: 'alice' }, { c: 1 }, 'alice'])
      assert.deepEqual([moved.createdAt, moved.ttlMs, moved.mustEndAt], [old.createdAt, old.ttlMs, old.mustEndAt])
      assert.equal(await sessions.retrieve(old.id), undefined, 'the old id is dead at once')
      assert.equal(await sessions.update(old.id, (metadata) => metadata), undefined)
      assert.equal(await sessions.delete(old.id), false)
      assert.equal(await sessions.rotate(old.id), undefined)
      assert.deepEqual((await sessions.retrieve(moved.id))?.metadata, { user: 'alice' })
      assert.equal(await sessions.count(), 1)
    },
  },
  {
    id: 'store/rotate-racing-itself-doubles-nothing',
    law: ['store/rotate', 'replace/compare-and-set'],
    async run(t) {
      const sessions = await openStore(t)
      const { id } = await sessions.create({ n: 1 })
      const moved = await Promise.all(Array.from({ length: 6 }, () => sessions.rotate(id)))
      assert.equal(moved.filter((session) => session !== undefined).length, 1)
      assert.equal(await sessions.count(), 1)
    },
  },
  {
    id: 'store/a-wrong-owner-finds-nothing',
    law: 'store/owner',
    async run(t) {
      const sessions = await openStore(t, { ttlMs: 10_000 })
      const session = await sessions.create({ secret: 1 }, { owner: 'alice' })
      const unowned = await sessions.create({})
      for (const owner of ['bob', 'Alice', 'alice ', null]) {
        assert.equal(await sessions.retrieve(session.id, { owner }), undefined, `owner ${JSON.stringify(owner)}`)
        assert.equal(await sessions.touch(session.id, { owner }), false)
        assert.equal(await sessions.setTtl(session.id, 1, { owner }), false)
        assert.equal(await sessions.consume(session.id, { owner }), undefined)
        assert.equal(await sessions.rotate(session.id, { owner }), undefined)
        assert.equal(await sessions.delete(session.id, { owner }), false)
      }
      assert.equal(await sessions.retrieve(unowned.id, { owner: 'alice' }), undefined)
      assert.ok(await sessions.retrieve(unowned.id, { owner: null }))
      const after = await sessions.retrieve(session.id, { owner: 'alice' })
      assert.deepEqual([after?.rev, after?.expiresAt, after?.metadata], [session.rev, session.expiresAt, { secret: 1 }])
    },
  },
  {
    id: 'store/an-owner-lists-and-deletes-its-own',
    law: ['store/owner', 'list/filters'],
    async run(t) {
      const sessions = await openStore(t)
      const own = await Promise.all([1, 2, 3].map((n) => sessions.create({ n }, { owner: 'alice' })))
      const other = await sessions.create({}, { owner: 'bob' })
      const listed = (await sessions.list({ owner: 'alice' })).sessions.map(({ id }) => id)
      assert.deepEqual(new Set(listed), new Set(own.map(({ id }) => id)))
      assert.equal(await sessions.count({ owner: 'alice' }), 3)
      assert.equal(await sessions.deleteByOwner('alice'), 3)
      assert.equal(await sessions.count({ owner: 'alice' }), 0)
      assert.ok(await sessions.retrieve(other.id))
    },
  },
  {
    id: 'store/kinds-do-not-see-each-other',
    law: 'store/kinds',
    async run(t) {
      const asked: string[] = []
      const watched = alteredBackend(t.backend, {
        get: (id, call) => {
          asked.push(id)
          return t.backend.get(id, call)
        },
      })
      const [sessions, carts, nodes] = [
        await openStore(t, {}, watched),
        await openStore(t, { kind: 'cart' }),
        await openStore(t, { kind: '!hb' }),
      ]
      const session = await sessions.create({ of: 's' })
      const cart = await carts.create({ of: 'cart' })
      const node = await nodes.create({ of: '!hb' })
      for (const id of [cart.id, node.id, 's', 's_', '', '../evil', "x'; drop table sessions; --", 's_\n', `s_${'x'.repeat(254)}`, 's_é']) {
        assert.equal(await sessions.retrieve(id), undefined)
        assert.equal(await sessions.delete(id), false)
      }
      assert.deepEqual(asked, [], 'the backend is not asked for an id that cannot be one')
      assert.equal(await carts.retrieve(session.id), undefined)
      const ids = async (store: Sessions): Promise<string[]> => (await store.list()).sessions.map(({ id }) => id)
      assert.deepEqual([await ids(sessions), await ids(carts), await ids(nodes)], [[session.id], [cart.id], [node.id]])
    },
  },
  {
    id: 'store/sessions-end-to-the-millisecond',
    law: ['store/lifetimes', 'expiry/expired-is-absent'],
    async run(t) {
      const sessions = await openStore(t, { touchIntervalMs: Number.POSITIVE_INFINITY })
      const endless = await sessions.create({}, { ttlMs: Number.POSITIVE_INFINITY })
      const tenThousandYearsMs = 315_576_000_000_000
      for (const ttlMs of [1, 2, 1_000, 2 ** 31 - 1, 2 ** 31, tenThousandYearsMs]) {
        const { id } = await sessions.create({}, { ttlMs })
        t.clock.advance(ttlMs - 1)
        assert.ok(await sessions.retrieve(id), `${ttlMs} ms: readable one millisecond before its end`)
        t.clock.advance(1)
        assert.equal(await sessions.retrieve(id), undefined, `${ttlMs} ms: absent at its end`)
        assert.equal(await sessions.touch(id), false, 'and nothing revives it')
        assert.equal(await sessions.setTtl(id, Number.POSITIVE_INFINITY), false)
        assert.equal(await sessions.consume(id), undefined)
        assert.equal(await sessions.rotate(id), undefined)
        assert.equal(await sessions.retrieve(id), undefined)
      }
      const never = await sessions.create({}, { ttlMs: 0 })
      assert.equal(await sessions.retrieve(never.id), undefined, 'ttlMs 0 expires at once')
      assert.ok(await sessions.retrieve(endless.id), 'ttlMs Infinity never expires')
      assert.equal(await sessions.count(), 1)
      // Where the engine has a clock, it has not seen these instants yet, and deletes nothing.
      const { clockOffsetMs } = await sessions.health()
      if (clockOffsetMs === 0) assert.ok((await sessions.cleanupExpired()) > 0)
    },
  },
  {
    id: 'store/access-extends-a-session-to-its-absolute-end',
    law: ['store/lifetimes', 'touch/forward-only'],
    async run(t) {
      const sessions = await openStore(t, { ttlMs: 1_000, maxLifetimeMs: 2_500, touchIntervalMs: 1 })
      const { id } = await sessions.create()
      for (let n = 0; n < 3; n += 1) {
        t.clock.advance(800)
        assert.equal(await sessions.touch(id), true, `${(n + 1) * 800} ms after its creation`)
      }
      t.clock.advance(99)
      assert.ok(await sessions.retrieve(id))
      t.clock.advance(1)
      assert.equal(await sessions.retrieve(id), undefined, 'no access extends it beyond maxLifetimeMs')
    },
  },
  {
    id: 'store/a-taken-id-is-a-conflict',
    law: ['store/errors', 'create/inserts-if-absent'],
    async run(t) {
      const sessions = await openStore(t)
      const session = await sessions.create({ n: 1 }, { id: 's_mine' })
      await assert.rejects(sessions.create({ n: 2 }, { id: 's_mine' }), (error) => SessionError.is(error, 'MCP_SESSION_CONFLICT'))
      assert.deepEqual((await sessions.retrieve('s_mine'))?.metadata, session.metadata)
    },
  },
]
