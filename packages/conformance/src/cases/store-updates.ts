import assert from 'node:assert/strict'
import type { Metadata } from '@mcp-session/core'
import type { Case } from '../case.ts'
import { openStore } from '../stores.ts'

const increment = (metadata: Metadata): Metadata => ({ ...metadata, count: Number(metadata['count']) + 1 })

export const storeUpdateCases: readonly Case[] = [
  {
    id: 'store/50-concurrent-updates-count-to-50',
    law: ['store/update-atomic', 'replace/compare-and-set'],
    async run(t) {
      const sessions = await openStore(t)
      const { id } = await sessions.create({ count: 0 })
      await Promise.all(Array.from({ length: 50 }, () => sessions.update(id, increment)))
      assert.equal((await sessions.retrieve(id))?.metadata['count'], 50)
    },
  },
  {
    id: 'store/two-stores-on-one-backend-count-together',
    law: ['store/update-atomic', 'replace/compare-and-set', 'lifecycle/counted'],
    async run(t) {
      const stores = [await openStore(t), await openStore(t)]
      const id = (await stores[0]?.create({ count: 0 }))?.id ?? ''
      await Promise.all(stores.flatMap((sessions) => Array.from({ length: 20 }, () => sessions.update(id, increment))))
      assert.equal((await stores[1]?.retrieve(id))?.metadata['count'], 40)
    },
  },
  {
    id: 'store/two-nodes-count-together',
    law: ['store/update-atomic', 'replace/compare-and-set'],
    requires: ['shared'],
    async run(t) {
      const stores = [await openStore(t), await openStore(t, {}, await t.another())]
      const id = (await stores[0]?.create({ count: 0 }))?.id ?? ''
      await Promise.all(stores.flatMap((sessions) => Array.from({ length: 20 }, () => sessions.update(id, increment))))
      assert.equal((await stores[0]?.retrieve(id))?.metadata['count'], 40)
    },
  },
  {
    id: 'store/updates-that-fail-write-nothing',
    law: 'store/update-guarded',
    async run(t) {
      const sessions = await openStore(t)
      const session = await sessions.create({ count: 0 })
      const boom = new Error('thrown by fn')
      await assert.rejects(
        sessions.update(session.id, () => {
          throw boom
        }),
        (error) => error === boom,
      )
      // What an application without types may hand in.
      const wrong: (() => unknown)[] = [
        () => undefined,
        () => Promise.resolve({}),
        () => [],
        () => 'text',
        () => ({ f: () => {} }),
        () => ({ s: Symbol('s') }),
      ]
      for (const fn of wrong) {
        await assert.rejects(async () => sessions.update(session.id, fn as (metadata: Metadata) => Metadata), TypeError, String(fn))
      }
      const after = await sessions.retrieve(session.id)
      assert.deepEqual([after?.rev, after?.metadata], [session.rev, { count: 0 }])
    },
  },
  {
    id: 'store/updates-of-what-is-not-there-do-not-run',
    law: ['store/update-guarded', 'store/lifetimes', 'store/owner'],
    async run(t) {
      const sessions = await openStore(t, { ttlMs: 1_000 })
      const [gone, foreign, expired] = [
        await sessions.create(),
        await sessions.create({}, { owner: 'bob' }),
        await sessions.create({}, { ttlMs: 5 }),
      ]
      await sessions.delete(gone.id)
      t.clock.advance(5)
      let ran = 0
      const fn = (metadata: Metadata): Metadata => {
        ran += 1
        return metadata
      }
      assert.equal(await sessions.update(gone.id, fn), undefined)
      assert.equal(await sessions.update(foreign.id, fn, { owner: 'alice' }), undefined)
      assert.equal(await sessions.update(expired.id, fn), undefined)
      assert.equal(ran, 0)
    },
  },
  {
    id: 'store/context-and-metadata-leave-each-other-alone',
    law: ['store/update-atomic', 'store/codec'],
    async run(t) {
      const sessions = await openStore(t)
      const { id } = await sessions.create({ count: 0 }, { context: { handshake: 1 } })
      await Promise.all([
        ...Array.from({ length: 5 }, () => sessions.update(id, increment)),
        ...Array.from({ length: 5 }, () => sessions.updateContext(id, (context) => ({ ...Object(context), changed: true }))),
      ])
      const session = await sessions.retrieve(id)
      assert.deepEqual([session?.metadata, session?.context], [{ count: 5 }, { handshake: 1, changed: true }])
    },
  },
]
