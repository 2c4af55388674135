import assert from 'node:assert/strict'
import type { SessionRecord } from '@mcp-session/core/backend'
import type { Case } from '../case.ts'

/** What a caller says it knows must not change what it is told. */
export const knownCases: readonly Case[] = [
  {
    id: 'known/changes-no-answer',
    law: 'record/known',
    async run(t) {
      const first = t.record({ owner: 'alice', data: `{"text":"${'Łódź '.repeat(200)}"}` })
      await t.create(first)
      const known = await answered(t.get(first.id, first), first)
      const touched = { ...first, lastAccessedAt: first.lastAccessedAt + 1_000, expiresAt: first.expiresAt + 1_000 }
      await t.touch(touched)
      await answered(t.get(first.id, known), touched)
      const second = t.successor(touched, { owner: null, ttlMs: first.ttlMs / 2 })
      await t.replace(second, first.rev)
      await answered(t.get(first.id, known), second)
      await answered(t.get(first.id, second), second)
      t.clock.set(second.expiresAt - 1)
      await answered(t.get(first.id, second), second)
      t.clock.set(second.expiresAt)
      assert.equal(await t.get(first.id, second), undefined, 'what is known has expired')
    },
  },
  {
    id: 'known/is-no-session',
    law: 'record/known',
    async run(t) {
      const record = t.record()
      assert.equal(await t.get(record.id, record), undefined, 'it never was there')
      await t.create(record)
      await t.delete(record.id)
      assert.equal(await t.get(record.id, record), undefined, 'it was deleted')
      const again = t.record({ id: record.id })
      await t.create(again)
      await answered(t.get(record.id, record), again)
    },
  },
  {
    id: 'known/is-each-callers-own',
    law: ['record/known', 'atomic/neighbours'],
    async run(t) {
      const old = await t.stored()
      const now = t.successor(old)
      await t.replace(now, old.rev)
      const others = await Promise.all([t.stored({ owner: 'bob' }), t.stored(), t.stored()])
      const asked = [t.get(now.id, old), t.get(now.id, now), t.get(now.id), ...others.map((other) => t.get(other.id, other))]
      assert.deepEqual(await Promise.all(asked), [now, now, now, ...others])
    },
  },
  {
    id: 'known/is-left-alone',
    law: ['record/known', 'record/detached'],
    async run(t) {
      const record = await t.stored()
      const known = { ...record }
      await t.get(record.id, known)
      await t.touch({ ...record, lastAccessedAt: record.lastAccessedAt + 1, expiresAt: record.expiresAt + 1 })
      await t.get(record.id, known)
      await t.replace(t.successor(record), record.rev)
      await t.get(record.id, known)
      assert.deepEqual(known, record)
    },
  },
]

async function answered(answer: Promise<SessionRecord | undefined>, expected: SessionRecord): Promise<SessionRecord> {
  assert.deepEqual(await answer, expected)
  return expected
}
