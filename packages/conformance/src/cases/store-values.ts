import assert from 'node:assert/strict'
import { type Metadata, SessionError } from '@mcp-session/core'
import type { SessionRecord } from '@mcp-session/core/backend'
import type { Case } from '../case.ts'
import { openStore } from '../stores.ts'

export const storeValueCases: readonly Case[] = [
  {
    id: 'store/every-value-comes-back-equal',
    law: ['store/codec', 'record/exact'],
    async run(t) {
      const metadata: Metadata = {
        texts: ['', '\u0000', '\ud800', '\udfff\ud800', '\u{1F511}', 'é', '\u2028', '__proto__', '{"$":1}', 'x'.repeat(10_000)],
        numbers: [0, -0, 1.5, -1e-300, 2 ** 53, Number.MAX_VALUE, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
        others: [null, undefined, true, false, 0n, -(2n ** 70n), new Date(0), new Date(8.64e15)],
        bytes: new Uint8Array([0, 1, 255]),
        map: new Map<unknown, unknown>([
          ['a', new Set([1, 'x', { deep: [] }])],
          [{ key: 1 }, undefined],
        ]),
        undefinedToo: undefined,
        'odd key: :*?[]{}\'"\\\u0000': { constructor: 1, toString: 'x', length: 0 },
      }
      const sessions = await openStore(t, { cacheBytes: 0 })
      const { id } = await sessions.create(metadata, { context: metadata })
      const session = await sessions.retrieve(id)
      assert.deepEqual(session?.metadata, metadata)
      assert.deepEqual(session.context, metadata)
      const updated = await sessions.update(id, (old) => ({ ...old, more: 1 }))
      assert.deepEqual((await sessions.retrieve(id))?.metadata, { ...metadata, more: 1 })
      assert.deepEqual(updated?.metadata, { ...metadata, more: 1 })
    },
  },
  {
    id: 'store/refused-values-write-nothing',
    law: 'store/codec',
    async run(t) {
      const sessions = await openStore(t, { maxBytes: 10_000 })
      const cycle: Metadata = {}
      cycle['self'] = cycle
      let deep: unknown = 1
      for (let depth = 0; depth < 101; depth += 1) deep = { deep }
      const bomb = Array.from({ length: 8 }).reduce<unknown>((inner) => Array.from({ length: 10 }, () => inner), 'x'.repeat(10))
      const refused: Metadata[] = [
        { f: () => {} },
        { s: Symbol('s') },
        cycle,
        { deep },
        { bomb },
        { big: 'x'.repeat(10_001) },
        { instance: new (class Thing {})() },
        Object.defineProperty({}, 'getter', { get: () => 1, enumerable: true }),
        JSON.parse('{"__proto__": {"polluted": true}}') as Metadata,
      ]
      for (const metadata of refused)
        await assert.rejects(sessions.create(metadata), (error) => error instanceof Error, Object.keys(metadata)[0])
      assert.equal(await sessions.count(), 0, 'nothing of what was refused was written')
      const { id, rev } = await sessions.create({ fine: true })
      for (const metadata of refused) await assert.rejects(async () => sessions.update(id, () => metadata))
      assert.equal((await sessions.retrieve(id))?.rev, rev)
    },
  },
  {
    id: 'store/changed-bytes-are-corrupt',
    law: 'store/integrity',
    async run(t) {
      const sessions = await openStore(t, { cacheBytes: 0 })
      const good = await sessions.create({ n: 'good' })
      const bad = await sessions.create({ n: 'value of some length' }, { owner: 'alice' })
      const original = await t.get(bad.id)
      assert.ok(original)
      const broken = [
        ...[0, 5, 12, Math.floor(original.data.length / 2), original.data.length - 1].map((at) => {
          const char = original.data[at] === 'A' ? 'B' : 'A'
          return { ...original, data: original.data.slice(0, at) + char + original.data.slice(at + 1) }
        }),
        { ...original, data: original.data.slice(0, -1) },
        { ...original, data: '' },
        { ...original, owner: 'mallory' },
        { ...original, owner: null },
        { ...original, createdAt: original.createdAt + 1 },
        { ...original, mustEndAt: 9_000_000_000_000_000 },
        { ...original, expiresAt: t.clock.now + 8_000_000_000_000 },
      ]
      let current: SessionRecord = original
      for (const [n, changed] of broken.entries()) {
        const written: SessionRecord = { ...changed, rev: original.rev }
        // Through a rev of its own and back: what stands there in the end has the rev that was sealed.
        const between = t.successor(current, { rev: `between-${n}` })
        await t.replace(between, current.rev)
        assert.deepEqual(await t.replace(written, between.rev), { replaced: true })
        current = written
        await assert.rejects(sessions.retrieve(bad.id), (error) => SessionError.is(error, 'MCP_SESSION_CORRUPT'), `variant ${n}`)
        await assert.rejects(
          sessions.update(bad.id, (metadata) => metadata),
          (error) => SessionError.is(error, 'MCP_SESSION_CORRUPT'),
        )
        const listed = (await sessions.list()).sessions
        assert.equal(listed.length, 2, 'a listing names it and goes on')
        for (const session of listed) assert.equal('error' in session, session.id === bad.id)
      }
      assert.deepEqual((await sessions.retrieve(good.id))?.metadata, { n: 'good' })
      assert.equal(await sessions.delete(bad.id), true, 'what is corrupt can be deleted')
    },
  },
  {
    id: 'store/records-of-two-sessions-swapped-are-corrupt',
    law: 'store/integrity',
    async run(t) {
      const sessions = await openStore(t, { cacheBytes: 0 })
      const [one, two] = [await sessions.create({ of: 'one' }), await sessions.create({ of: 'two' })]
      const [first, second] = [await t.get(one.id), await t.get(two.id)]
      assert.ok(first && second)
      await t.replace({ ...first, rev: second.rev, data: second.data }, first.rev)
      await assert.rejects(
        sessions.retrieve(one.id),
        (error) => SessionError.is(error, 'MCP_SESSION_CORRUPT'),
        'the data of another session',
      )
    },
  },
]
