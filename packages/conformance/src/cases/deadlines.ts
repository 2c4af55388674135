import assert from 'node:assert/strict'
import { type Call, SessionError } from '@mcp-session/core/backend'
import type { Case } from '../case.ts'
import type { Trial } from '../trial.ts'

export const deadlineCases: readonly Case[] = [
  {
    id: 'deadline/late-calls-are-not-sent',
    law: 'deadline/never-sent-late',
    async run(t) {
      const late = (): Call => t.call({ deadlineAt: performance.now() - 1 })
      await assertRefused(t, late, (error) => {
        const { outcome } = SessionError.is(error) ? error : (t.backend.classify(error) ?? { outcome: 'unknown' })
        assert.equal(outcome, 'none', `nothing was sent, so nothing was written: ${error}`)
      })
    },
  },
  {
    id: 'deadline/an-instant-that-is-now-is-late',
    law: 'deadline/never-sent-late',
    async run(t) {
      const record = t.record()
      await assert.rejects(
        async () => t.backend.create(record, t.call({ deadlineAt: performance.now() })),
        'create at its deadline must reject',
      )
      await assert.rejects(
        async () => t.backend.create(record, t.call({ deadlineAt: Number.NEGATIVE_INFINITY })),
        'create long after its deadline must reject',
      )
      assert.equal(await t.get(record.id), undefined)
      assert.equal(await t.backend.create(record, t.call({ deadlineAt: Number.POSITIVE_INFINITY })), true)
    },
  },
  {
    id: 'deadline/aborted-calls-reject-with-the-reason',
    law: 'deadline/never-sent-late',
    async run(t) {
      const reason = { why: 'the caller went away' }
      const aborted = (): Call => t.call({ signal: AbortSignal.abort(reason) })
      await assertRefused(t, aborted, (error) => assert.equal(error, reason, 'an aborted call rejects with the reason of its signal'))
    },
  },
  {
    id: 'deadline/a-signal-that-does-not-abort-changes-nothing',
    law: 'deadline/never-sent-late',
    async run(t) {
      const controller = new AbortController()
      const record = t.record()
      assert.equal(await t.backend.create(record, t.call({ signal: controller.signal })), true)
      assert.deepEqual(await t.backend.get(record.id, t.call({ signal: controller.signal })), record)
      controller.abort()
      assert.deepEqual(await t.get(record.id), record, 'an abort after the answer takes nothing back')
    },
  },
  {
    id: 'deadline/queues-are-bounded',
    law: 'deadline/queues-bounded',
    boundMs: 60_000,
    async run(t) {
      const record = await t.stored()
      const refused: unknown[] = []
      const outcomes = new Map<string, boolean>()
      const call = t.call({ deadlineAt: performance.now() + 1_000 })
      await Promise.all(
        Array.from({ length: 20_000 }, async (_, n) => {
          // Reads mostly: what is asked is whether the queue knows its end, not how fast the engine writes.
          const created = n % 100 === 0 ? t.record() : undefined
          try {
            if (created === undefined) await t.backend.get(record.id, call)
            else outcomes.set(created.id, await t.backend.create(created, call))
          } catch (error) {
            refused.push(error)
            if (created !== undefined && outcomeOf(t, error) === 'none') outcomes.set(created.id, false)
          }
        }),
      )
      for (const error of refused) {
        const known = SessionError.is(error, 'MCP_SESSION_OVERLOADED') || SessionError.is(error, 'MCP_SESSION_TIMEOUT')
        assert.ok(
          known || t.backend.classify(error) !== undefined,
          `a call too many is OVERLOADED, or TIMEOUT while it is queued: ${error}`,
        )
        if (SessionError.is(error)) assert.equal(error.outcome, 'none', 'what was never sent wrote nothing')
      }
      for (const [id, written] of outcomes) {
        assert.equal((await t.get(id)) !== undefined, written, `create of ${id} ${written ? 'was acknowledged' : 'was refused'}`)
      }
      await t.stored()
    },
  },
]

/** Every method refuses such a call, and none has done anything. */
async function assertRefused(t: Trial, call: () => Call, check: (error: unknown) => void): Promise<void> {
  const record = await t.stored({ owner: 'alice' })
  const expired = await t.stored({ ttlMs: 0 })
  const touch = { id: record.id, rev: record.rev, lastAccessedAt: t.clock.now + 1, expiresAt: record.expiresAt + 1 }
  const { backend } = t
  const calls: [name: string, send: () => Promise<unknown>][] = [
    ['create', () => backend.create(t.record({ owner: 'alice' }), call())],
    ['get', () => backend.get(record.id, call())],
    ['replace', () => backend.replace(t.successor(record), record.rev, call())],
    ['touch', () => backend.touch(touch, call())],
    ['delete', () => backend.delete(record.id, undefined, call())],
    ['delete', () => backend.delete(record.id, record.rev, call())],
    ['list', () => backend.list({ limit: 10 }, call())],
    ['list', () => backend.list({ limit: 10, owner: 'alice' }, call())],
    ['deleteExpired', () => backend.deleteExpired(10, call())],
  ]
  const { events } = backend
  if (events !== undefined) {
    const none = { maxEvents: 0, maxAgeMs: 0, maxBytes: 0 }
    calls.push(['events.append', () => events.append(record.id, t.event(), none, call())])
    calls.push(['events.read', () => events.read(record.id, { after: 0, limit: 1, maxAgeMs: 0 }, call())])
    calls.push(['events.restore', () => events.restore(record.id, { events: [], last: 9, trimmed: false }, call())])
  }
  for (const [name, send] of calls) {
    const outcome = await send().then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    )
    assert.ok('error' in outcome, `${name} was answered although it could not be sent any more`)
    check(outcome.error)
  }
  assert.deepEqual(await t.listAll(), [record], 'nothing was created, replaced, touched or deleted')
  if (events !== undefined) assert.deepEqual(await t.read(record.id), { events: [], last: 0, trimmed: false })
  assert.equal(await t.deleteExpired(), 1, `the sweep that was refused has left ${expired.id}`)
}

function outcomeOf(t: Trial, error: unknown): 'none' | 'unknown' {
  return SessionError.is(error) ? error.outcome : (t.backend.classify(error)?.outcome ?? 'unknown')
}
