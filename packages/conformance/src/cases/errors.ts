import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import { type ErrorClass, SessionError, type SessionErrorCode } from '@mcp-session/core/backend'
import type { Case } from '../case.ts'

export const errorCases: readonly Case[] = [
  {
    id: 'errors/documented-ones-are-classified',
    law: 'failure/classified',
    requires: ['errors'],
    async run(t) {
      const wrong: string[] = []
      for (const { name, error, expected } of t.harness.errors ?? []) {
        const actual = t.backend.classify(error)
        try {
          assert.deepEqual(actual, expected)
        } catch {
          wrong.push(`${name}: ${inspect(actual)}, expected ${inspect(expected)}`)
        }
      }
      assert.deepEqual(wrong, [])
    },
  },
  {
    id: 'errors/classify-is-pure',
    law: 'failure/classified',
    async run(t) {
      for (const { name, error } of t.harness.errors ?? []) {
        // A frozen one: whoever writes into it fails.
        const first = t.backend.classify(Object.freeze(error))
        assert.deepEqual(t.backend.classify(error), first, `${name}: the same answer twice`)
        assertClass(first, name)
      }
      await t.backend.close()
      for (const { name, error, expected } of t.harness.errors ?? []) {
        assert.deepEqual(t.backend.classify(error), expected, `${name}: on a closed backend, too`)
      }
    },
  },
  {
    id: 'errors/classify-lives-with-anything',
    law: 'failure/classified',
    async run(t) {
      const anything = [undefined, null, 0, '', 'text', Symbol('s'), {}, [], Object.create(null), { code: 5 }, { code: null }, new Error()]
      for (const value of anything) assert.equal(t.backend.classify(value), undefined, `${typeof value} is no error of the driver`)
      assert.equal(t.backend.classify(new TypeError('x is not a function')), undefined, 'a bug is not an outage')
      assert.equal(t.backend.classify(Object.assign(new Error('x'), { code: 'NO_SUCH_CODE_OF_ANY_DRIVER' })), undefined)
    },
  },
  {
    id: 'errors/only-some-are-session-errors',
    law: 'failure/raw',
    async run(t) {
      const allowed = new Set<SessionErrorCode>([
        ...(['MCP_SESSION_LOCKED', 'MCP_SESSION_CORRUPT', 'MCP_SESSION_SCHEMA'] as const),
        ...(['MCP_SESSION_TIMEOUT', 'MCP_SESSION_OVERLOADED', 'MCP_SESSION_CLOSED', 'MCP_SESSION_LIMIT'] as const),
      ])
      const thrown: unknown[] = []
      const attempt = async (run: () => Promise<unknown>): Promise<void> => {
        try {
          await run()
        } catch (error) {
          thrown.push(error)
        }
      }
      const record = await t.stored()
      await attempt(() => t.backend.get(record.id, t.call({ deadlineAt: 0 })))
      await attempt(async () => t.list({ cursor: 'garbage' }))
      await attempt(async () => t.create({ ...t.record(), owner: Object.create(null) }))
      await attempt(async () => t.create({ ...t.record(), data: 'x'.repeat(3 * 1_024 * 1_024) }))
      await t.backend.close()
      await attempt(() => t.get(record.id))
      await attempt(() => t.create(t.record()))
      for (const error of thrown) {
        if (!SessionError.is(error)) continue
        assert.ok(allowed.has(error.code), `${error.code} is for the store to say, by classify: the backend throws what the driver threw`)
      }
    },
  },
]

function assertClass(value: ErrorClass | undefined, name: string): void {
  if (value === undefined) return
  assert.match(value.code, /^MCP_SESSION_[A-Z_]+$/, name)
  assert.equal(typeof value.retryable, 'boolean', name)
  assert.ok(value.outcome === 'none' || value.outcome === 'unknown', name)
}
