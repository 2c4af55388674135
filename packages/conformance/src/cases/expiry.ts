import assert from 'node:assert/strict'
import type { Case } from '../case.ts'

export const expiryCases: readonly Case[] = [
  {
    id: 'expiry/read-at-deadline-is-absent',
    law: 'expiry/expired-is-absent',
    async run(t) {
      const record = await t.stored({ ttlMs: 1_000 })
      t.clock.set(record.expiresAt - 1)
      assert.deepEqual(await t.get(record.id), record, 'readable one millisecond before its end')
      t.clock.set(record.expiresAt)
      assert.equal(await t.get(record.id), undefined, 'absent at its end')
      t.clock.advance(1)
      assert.equal(await t.get(record.id), undefined)
    },
  },
  {
    id: 'expiry/replace-at-deadline-finds-nothing',
    law: 'expiry/expired-is-absent',
    async run(t) {
      const early = await t.stored({ ttlMs: 1_000 })
      const late = await t.stored({ ttlMs: 1_000 })
      t.clock.set(early.expiresAt - 1)
      const renewed = t.successor(early, { lastAccessedAt: t.clock.now })
      assert.deepEqual(await t.replace(renewed, early.rev), { replaced: true })
      t.clock.set(late.expiresAt)
      assert.deepEqual(await t.replace(t.successor(late), late.rev), { replaced: false, current: undefined })
      assert.deepEqual(await t.replace(t.successor(late), 'another'), { replaced: false, current: undefined })
      assert.deepEqual(await t.get(early.id), renewed, 'renewed in time, it lives on')
    },
  },
  {
    id: 'expiry/touch-at-deadline-is-missing',
    law: 'expiry/expired-is-absent',
    async run(t) {
      const early = await t.stored({ ttlMs: 1_000 })
      const late = await t.stored({ ttlMs: 1_000 })
      t.clock.set(early.expiresAt - 1)
      const renewal = { lastAccessedAt: t.clock.now, expiresAt: t.clock.now + 1_000 }
      assert.equal(await t.touch({ id: early.id, rev: early.rev, ...renewal }), 'touched')
      t.clock.set(late.expiresAt)
      assert.equal(await t.touch({ id: late.id, rev: late.rev, ...renewal }), 'missing')
      assert.equal(await t.get(late.id), undefined)
      assert.deepEqual(await t.get(early.id), { ...early, ...renewal })
    },
  },
  {
    id: 'expiry/listing-at-deadline-leaves-it-out',
    law: ['expiry/expired-is-absent', 'list/filters'],
    async run(t) {
      const short = await t.stored({ owner: 'alice', ttlMs: 1_000 })
      const long = await t.stored({ owner: 'alice', ttlMs: 2_000 })
      t.clock.set(short.expiresAt - 1)
      assert.deepEqual(new Set((await t.listAll()).map(({ id }) => id)), new Set([short.id, long.id]))
      t.clock.set(short.expiresAt)
      assert.deepEqual(await t.listAll(), [long])
      assert.deepEqual(await t.listAll({ owner: 'alice' }), [long])
      assert.deepEqual(await t.listAll({ prefix: 's_' }), [long])
      assert.deepEqual(await t.listAll({ prefix: 's_', owner: 'alice', data: false }), [{ ...long, data: '' }])
    },
  },
  {
    id: 'expiry/create-at-deadline-takes-its-place',
    law: ['expiry/create-replaces-expired', 'expiry/expired-is-absent'],
    async run(t) {
      const old = await t.stored({ ttlMs: 1_000, owner: 'alice' })
      t.clock.set(old.expiresAt - 1)
      assert.equal(await t.create(t.record({ id: old.id })), false, 'one millisecond before its end its id is taken')
      t.clock.set(old.expiresAt)
      const fresh = t.record({ id: old.id, owner: 'bob' })
      assert.equal(await t.create(fresh), true)
      assert.deepEqual(await t.get(old.id), fresh)
      assert.deepEqual(await t.listAll(), [fresh])
      assert.deepEqual(await t.listAll({ owner: 'alice' }), [])
      assert.deepEqual(await t.listAll({ owner: 'bob' }), [fresh])
    },
  },
  {
    id: 'expiry/create-takes-no-events-over',
    law: 'expiry/create-replaces-expired',
    requires: ['events'],
    async run(t) {
      const old = await t.stored({ ttlMs: 1_000 })
      const event = t.event()
      await t.append(old.id, event)
      await t.append(old.id, t.event({ stream: '!internal' }))
      t.clock.set(old.expiresAt)
      await t.create(t.record({ id: old.id }))
      assert.deepEqual(await t.read(old.id), { events: [], last: 0, trimmed: false })
      await t.append(old.id, { ...event, data: 'new' })
      assert.deepEqual(
        (await t.read(old.id))?.events.map(({ data }) => data),
        ['new'],
        'nor the keys of its events',
      )
    },
  },
  {
    id: 'expiry/one-of-many-creators-takes-the-place',
    law: ['expiry/create-replaces-expired', 'create/inserts-if-absent', 'atomic/one-step'],
    async run(t) {
      const old = await t.stored({ ttlMs: 1_000 })
      t.clock.set(old.expiresAt)
      const rivals = Array.from({ length: 12 }, () => t.record({ id: old.id }))
      const answers = await Promise.all(rivals.map((rival) => t.create(rival)))
      assert.equal(answers.filter(Boolean).length, 1)
      assert.deepEqual(await t.get(old.id), rivals[answers.indexOf(true)])
    },
  },
  {
    id: 'expiry/written-expired-is-never-readable',
    law: 'expiry/written-expired',
    async run(t) {
      for (const pastMs of [0, 1, 7_200_000, 315_360_000_000]) {
        const record = t.record({ owner: 'alice', ttlMs: 0, lastAccessedAt: t.clock.now - pastMs })
        assert.equal(await t.create(record), true, 'it is accepted')
        assert.equal(await t.get(record.id), undefined)
        assert.equal(await t.delete(record.id), false)
        assert.equal(await t.create(record), true, 'and its id is free')
      }
      assert.deepEqual(await t.listAll(), [])
      assert.deepEqual(await t.listAll({ owner: 'alice' }), [])
    },
  },
  {
    id: 'expiry/replaced-by-an-expired-one-is-gone',
    law: 'expiry/written-expired',
    async run(t) {
      for (const expiresAt of [0, t.clock.now - 1, t.clock.now]) {
        const record = await t.stored()
        assert.deepEqual(await t.replace(t.successor(record, { expiresAt, ttlMs: 0 }), record.rev), { replaced: true })
        assert.equal(await t.get(record.id), undefined)
        assert.deepEqual(await t.listAll(), [])
      }
    },
  },
  {
    id: 'expiry/far-and-infinite-deadlines-hold',
    law: ['expiry/expired-is-absent', 'record/exact'],
    async run(t) {
      const tenThousandYears = 10_000 * 365.25 * 86_400_000
      for (const ttlMs of [1, 2 ** 31 - 1, 2 ** 31, 2 ** 32, tenThousandYears, Number.POSITIVE_INFINITY]) {
        const record = await t.stored({ ttlMs })
        assert.deepEqual(await t.get(record.id), record, `ttlMs ${ttlMs}`)
        if (ttlMs > tenThousandYears) continue
        assert.deepEqual(await t.backend.get(record.id, t.call({ now: record.expiresAt - 1 })), record)
        assert.equal(await t.backend.get(record.id, t.call({ now: record.expiresAt })), undefined)
      }
      const last = await t.stored({ ttlMs: Number.MAX_SAFE_INTEGER - t.clock.now })
      assert.equal(last.expiresAt, Number.MAX_SAFE_INTEGER)
      assert.deepEqual(await t.get(last.id), last)
      const immortal = await t.stored({ ttlMs: Number.POSITIVE_INFINITY })
      assert.deepEqual(await t.backend.get(immortal.id, t.call({ now: Number.MAX_SAFE_INTEGER })), immortal)
    },
  },
  {
    id: 'expiry/immortal-sessions-are-served-like-others',
    law: ['expiry/expired-is-absent', 'record/exact', 'touch/forward-only'],
    async run(t) {
      const record = await t.stored({ ttlMs: Number.POSITIVE_INFINITY, owner: 'alice' })
      assert.equal(await t.create(t.record({ id: record.id })), false)
      const touch = { id: record.id, rev: record.rev, lastAccessedAt: record.lastAccessedAt - 1, expiresAt: t.clock.now }
      assert.equal(await t.touch(touch), 'touched')
      assert.equal(await t.touch({ ...touch, rev: 'another' }), 'moved')
      assert.deepEqual(await t.replace(t.successor(record), 'another'), { replaced: false, current: record })
      if (t.backend.events !== undefined) assert.ok(await t.append(record.id, t.event()))
      assert.deepEqual(await t.listAll({ owner: 'alice' }), [record])
      assert.equal(await t.delete(record.id, 'another'), false)
      assert.equal(await t.delete(record.id, record.rev), true)
      assert.equal(await t.create(t.record({ id: record.id })), true)
    },
  },
  {
    id: 'expiry/only-expires-at-decides',
    law: 'expiry/expired-is-absent',
    async run(t) {
      const now = t.clock.now
      const inconsistent = await t.stored({ lastAccessedAt: now - 1_000, ttlMs: 1, mustEndAt: now - 5, expiresAt: now + 50 })
      assert.deepEqual(await t.get(inconsistent.id), inconsistent, 'neither ttlMs nor mustEndAt: the backend has no policy')
      t.clock.set(now + 50)
      assert.equal(await t.get(inconsistent.id), undefined)
    },
  },
  {
    id: 'expiry/replace-moves-the-deadline-both-ways',
    law: 'expiry/expired-is-absent',
    async run(t) {
      const record = await t.stored({ ttlMs: 1_000 })
      const longer = t.successor(record, { ttlMs: 5_000 })
      await t.replace(longer, record.rev)
      t.clock.advance(4_000)
      assert.deepEqual(await t.get(record.id), longer)
      const shorter = t.successor(longer, { ttlMs: 4_010 })
      await t.replace(shorter, longer.rev)
      t.clock.advance(9)
      assert.deepEqual(await t.get(record.id), shorter)
      t.clock.advance(1)
      assert.equal(await t.get(record.id), undefined)
    },
  },
  {
    id: 'expiry/real-time-expires-nothing',
    law: ['sweep/native-ttl-is-garbage-collection', 'expiry/expired-is-absent'],
    async run(t) {
      const record = await t.stored({ ttlMs: 3 })
      const touched = await t.stored({ ttlMs: 3 })
      await t.touch({ id: touched.id, rev: touched.rev, lastAccessedAt: t.clock.now + 1, expiresAt: touched.expiresAt + 1 })
      const replaced = await t.stored()
      await t.replace(t.successor(replaced, { ttlMs: 3 }), replaced.rev)
      const enough = performance.now() + 40
      while (performance.now() < enough) assert.deepEqual(await t.get(record.id), record, 'the clock of the call stands still')
      assert.ok(await t.get(touched.id), 'after a touch, too')
      assert.ok(await t.get(replaced.id), 'after a replace, too')
      const listed = await t.listAll()
      assert.equal(listed.length, 3)
    },
  },
]
