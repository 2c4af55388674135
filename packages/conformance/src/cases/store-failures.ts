import assert from 'node:assert/strict'
import { type Metadata, SessionError } from '@mcp-session/core'
import type { SessionBackend } from '@mcp-session/core/backend'
import { alteredBackend } from '../altered-backend.ts'
import { unbounded } from '../calls.ts'
import type { Case } from '../case.ts'
import { losing, openStore } from '../stores.ts'
import type { Trial } from '../trial.ts'

const increment = (metadata: Metadata): Metadata => ({ ...metadata, count: Number(metadata['count']) + 1 })
const moments = ['before', 'after'] as const

export const storeFailureCases: readonly Case[] = [
  {
    id: 'store/a-lost-reply-to-an-update-counts-once',
    law: ['store/lost-replies', 'replace/loser-gets-current'],
    async run(t) {
      for (const moment of moments) {
        const sessions = await openStore(t, {}, losing(t.backend, 'replace', moment, 2))
        const { id } = await sessions.create({ count: 0 })
        assert.equal((await sessions.update(id, increment))?.metadata['count'], 1)
        assert.equal((await sessions.retrieve(id))?.metadata['count'], 1, `the connection was lost ${moment} the write`)
      }
    },
  },
  {
    id: 'store/lost-replies-among-rivals-count-once-each',
    law: ['store/lost-replies', 'store/update-atomic', 'replace/loser-gets-current'],
    async run(t) {
      const shaky = [losing(t.backend, 'replace', 'after', 3), losing(t.backend, 'replace', 'before', 3), t.backend]
      const stores = await Promise.all(shaky.map((backend) => openStore(t, {}, backend)))
      const id = (await stores[2]?.create({ count: 0 }))?.id ?? ''
      let unknown = 0
      const updates = stores.flatMap((sessions) => Array.from({ length: 8 }, () => sessions.update(id, increment)))
      for (const result of await Promise.allSettled(updates)) {
        if (result.status === 'fulfilled') continue
        assert.ok(
          SessionError.is(result.reason) && result.reason.outcome === 'unknown',
          `only an unknown outcome may be reported: ${result.reason}`,
        )
        unknown += 1
      }
      const count = Number((await stores[2]?.retrieve(id))?.metadata['count'])
      assert.ok(count <= 24 && count >= 24 - unknown, `24 updates, ${unknown} of them with unknown outcome, have counted to ${count}`)
    },
  },
  {
    id: 'store/a-lost-reply-to-create-leaves-one-session',
    law: 'store/lost-replies',
    async run(t) {
      for (const moment of moments) {
        const owner = `owner ${moment}`
        const sessions = await openStore(t, {}, losing(t.backend, 'create', moment))
        const session = await sessions.create({ n: 1 }, { owner })
        assert.deepEqual((await sessions.retrieve(session.id))?.metadata, { n: 1 })
        await sessions.close()
        assert.deepEqual(
          (await t.listAll({ owner })).map(({ id }) => id),
          [session.id],
          'what was left behind under another id is cleaned up',
        )
      }
    },
  },
  {
    id: 'store/a-lost-reply-to-delete-deletes',
    law: ['store/lost-replies', 'store/consume-once'],
    async run(t) {
      for (const moment of moments) {
        const sessions = await openStore(t, {}, losing(t.backend, 'delete', moment))
        const { id } = await sessions.create()
        await sessions.delete(id)
        assert.equal(await sessions.retrieve(id), undefined)
      }
      const consumer = await openStore(t, {}, losing(t.backend, 'delete', 'after'))
      const { id } = await consumer.create()
      await assert.rejects(
        consumer.consume(id),
        (error) => SessionError.is(error) && error.outcome === 'unknown',
        'absence does not name the winner',
      )
      assert.equal(await consumer.retrieve(id), undefined)
    },
  },
  {
    id: 'store/a-lost-reply-to-touch-touches',
    law: 'store/lost-replies',
    async run(t) {
      for (const moment of moments) {
        const sessions = await openStore(t, { ttlMs: 1_000 }, losing(t.backend, 'touch', moment))
        const { id } = await sessions.create()
        t.clock.advance(900)
        assert.equal(await sessions.touch(id), true)
        t.clock.advance(900)
        assert.ok(await sessions.retrieve(id))
      }
    },
  },
  {
    id: 'store/a-lost-reply-to-append-stores-one-event',
    law: ['store/lost-replies', 'events/idempotent'],
    requires: ['events'],
    async run(t) {
      for (const moment of moments) {
        const sessions = await openStore(t, {}, losing(t.backend, 'append', moment))
        const { id } = await sessions.create()
        assert.ok(await sessions.events?.append(id, t.event(), unbounded))
        assert.equal((await t.read(id))?.events.length, 1, `the connection was lost ${moment} the write`)
      }
    },
  },
  {
    id: 'store/a-backend-that-never-answers-is-a-timeout',
    law: 'store/deadlines',
    async run(t) {
      const silent = (): Promise<never> => new Promise(() => {})
      const backend = alteredBackend(t.backend, {
        get: silent,
        replace: silent,
        touch: silent,
        list: silent,
        delete: silent,
        create: silent,
      })
      const sessions = await openStore(t, { callTimeoutMs: 60 }, backend)
      const record = await t.stored()
      const calls = {
        retrieve: () => sessions.retrieve(record.id),
        update: () => sessions.update(record.id, (metadata) => metadata),
        list: () => sessions.list(),
        delete: () => sessions.delete(record.id),
        create: () => sessions.create(),
      }
      // All at once: each has its own deadline, and none waits for another.
      const outcomes = await Promise.allSettled(Object.values(calls).map((call) => call()))
      for (const [n, [name]] of Object.entries(calls).entries()) {
        const outcome = outcomes[n]
        assert.ok(outcome?.status === 'rejected' && SessionError.is(outcome.reason, 'MCP_SESSION_TIMEOUT'), `${name} ends in TIMEOUT`)
        const writes = name === 'delete' || name === 'create'
        assert.equal(outcome.reason.outcome, writes ? 'unknown' : 'none', `${name}: ${writes ? 'may have written' : 'wrote nothing'}`)
      }
    },
  },
  {
    id: 'store/documented-driver-errors-are-typed',
    law: ['store/errors', 'failure/classified'],
    requires: ['errors'],
    async run(t) {
      for (const { name, error, expected } of t.harness.errors ?? []) {
        const { reads, writes } = await injected(t, error)
        const code = expected?.code ?? 'MCP_SESSION_INTERNAL'
        assert.deepEqual([reads.code, reads.outcome, reads.cause], [code, 'none', error], `${name} on a read`)
        const wanted = expected === undefined ? 'unknown' : expected.outcome
        assert.deepEqual([writes.code, writes.outcome, writes.cause], [code, wanted, error], `${name} on a write`)
        assert.equal(writes.retryable, expected?.retryable ?? false, name)
      }
    },
  },
  {
    id: 'store/unknown-errors-are-internal',
    law: 'store/errors',
    async run(t) {
      const { reads, writes } = await injected(t, new Error('password=hunter2 of session s_x'))
      assert.deepEqual([reads.code, reads.outcome], ['MCP_SESSION_INTERNAL', 'none'])
      assert.deepEqual([writes.code, writes.outcome], ['MCP_SESSION_INTERNAL', 'unknown'])
      for (const error of [reads, writes]) assert.ok(!error.message.includes('hunter2'), 'what the driver says stays in the cause')
    },
  },
  {
    id: 'store/calls-on-a-closed-store-say-so',
    law: ['store/errors', 'lifecycle/counted'],
    async run(t) {
      const sessions = await openStore(t)
      const { id } = await sessions.create()
      await sessions.close()
      await sessions.close()
      await assert.rejects(sessions.retrieve(id), (error) => SessionError.is(error, 'MCP_SESSION_CLOSED'))
      assert.ok(await t.get(id), 'whoever else has opened the backend keeps it')
    },
  },
]

/** What a store makes of a driver's error on a read and on a write that is not sent again. */
async function injected(t: Trial, error: unknown): Promise<{ reads: SessionError; writes: SessionError }> {
  const failing: SessionBackend = alteredBackend(t.backend, {
    get: () => Promise.reject(error),
    create: () => Promise.reject(error),
  })
  const sessions = await openStore(t, { callTimeoutMs: 100 }, failing)
  const id = `s_${t.random.hex(20)}`
  return { reads: await rejection(sessions.retrieve(id)), writes: await rejection(sessions.create({}, { id })) }
}

async function rejection(promise: Promise<unknown>): Promise<SessionError> {
  try {
    await promise
  } catch (error) {
    if (SessionError.is(error)) return error
    throw error
  }
  throw new Error('the call was answered although the backend fails')
}
