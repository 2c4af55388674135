import assert from 'node:assert/strict'
import type { SessionRecord } from '@mcp-session/core/backend'
import type { Case } from '../case.ts'
import { beside, nextTurn } from '../eventually.ts'

export const atomicCases: readonly Case[] = [
  {
    id: 'atomic/records-are-never-seen-half-written',
    law: 'atomic/one-step',
    async run(t) {
      const first = await t.stored(whole(0))
      let writing = true
      const writer = (async () => {
        let current = first
        for (let n = 1; n <= 40; n += 1) {
          const next = t.successor(current, whole(n))
          assert.deepEqual(await t.replace(next, current.rev), { replaced: true })
          current = next
        }
      })().finally(() => {
        writing = false
      })
      beside(writer)
      do {
        await nextTurn()
        const [read, listed] = await Promise.all([t.get(first.id), t.list()])
        for (const record of [read, ...listed.records]) {
          assert.ok(record, 'a record that is being replaced is there at every instant')
          assert.ok(isWhole(record), `owner, data and instants of different writes: ${record.owner}, ${record.data}, ${record.mustEndAt}`)
        }
      } while (writing)
      await writer
    },
  },
  {
    id: 'atomic/opposite-writes-leave-one-outcome',
    law: ['atomic/one-step', 'create/inserts-if-absent', 'delete/says-what-was-there'],
    async run(t) {
      for (let round = 0; round < 40; round += 1) {
        const old = await t.stored()
        const next = t.record({ id: old.id })
        const [deleted, created] = await Promise.all(
          t.random.integer(2) === 0 ? [t.delete(old.id, old.rev), t.create(next)] : [t.create(next), t.delete(old.id, old.rev)].reverse(),
        )
        assert.equal(deleted, true, 'only this delete could take the old record away')
        const there = await t.get(old.id)
        assert.deepEqual(there, created === true ? next : undefined, `create answered ${created}`)
      }
    },
  },
  {
    id: 'atomic/a-bad-call-fails-alone',
    law: 'atomic/neighbours',
    async run(t) {
      const existing = await t.stored()
      const good = Array.from({ length: 24 }, () => t.record())
      const rival = t.successor(existing)
      // None of these is a record; what a backend makes of them is its own affair, as long as it is theirs alone.
      const bad: unknown[] = [
        { ...t.record(), data: 'nul \u0000 in data' },
        { ...t.record(), data: 'lone surrogate \ud800' },
        { ...t.record(), owner: { not: 'a text' } },
        { ...t.record(), expiresAt: 'soon' },
        { ...t.record(), createdAt: Number.NaN },
        { ...t.record(), id: Symbol('id') },
        { ...t.record(), data: undefined },
      ]
      const calls = t.random.shuffle([
        ...good.map((record) => async () => ({ record, answer: await t.create(record) })),
        ...bad.map((record) => async () => {
          await Promise.resolve()
            .then(() => t.create(record as SessionRecord))
            .catch(() => {})
          return undefined
        }),
        async () => {
          assert.deepEqual(await t.replace(rival, existing.rev), { replaced: true })
          return undefined
        },
      ])
      for (const done of await Promise.all(calls.map((call) => call()))) {
        if (done === undefined) continue
        assert.equal(done.answer, true, 'a good call beside bad ones succeeds')
        assert.deepEqual(await t.get(done.record.id), done.record)
      }
      assert.deepEqual(await t.get(existing.id), rival)
    },
  },
  {
    id: 'atomic/a-lost-race-fails-alone',
    law: ['atomic/neighbours', 'replace/compare-and-set'],
    async run(t) {
      for (let round = 0; round < 8; round += 1) {
        const records = await Promise.all(Array.from({ length: 12 }, () => t.stored()))
        const answers = await Promise.all(
          records.flatMap((record, n) => [
            t.replace(t.successor(record, { data: 'good' }), n % 3 === 0 ? 'another' : record.rev),
            t.create(t.record({ id: record.id })),
          ]),
        )
        for (const [n, record] of records.entries()) {
          const replaced = answers[2 * n]
          assert.equal(typeof replaced === 'object' && replaced.replaced, n % 3 !== 0, 'each is judged by itself')
          assert.equal(answers[2 * n + 1], false)
          assert.equal((await t.get(record.id))?.data, n % 3 === 0 ? record.data : 'good')
        }
      }
    },
  },
  {
    id: 'atomic/late-and-aborted-calls-fail-alone',
    law: ['atomic/neighbours', 'deadline/never-sent-late'],
    async run(t) {
      const good = Array.from({ length: 12 }, () => t.record())
      const late = Array.from({ length: 6 }, () => t.record())
      const aborted = Array.from({ length: 6 }, () => t.record())
      const gone = t.call({ deadlineAt: performance.now() - 1 })
      const dropped = t.call({ signal: AbortSignal.abort(new Error('the caller went away')) })
      const answers = await Promise.allSettled([
        ...good.flatMap((record, n) => {
          const bad = n % 2 === 0 ? late[n / 2] : aborted[(n - 1) / 2]
          return [t.create(record), ...(bad === undefined ? [] : [t.backend.create(bad, n % 2 === 0 ? gone : dropped)])]
        }),
      ])
      for (const [n, answer] of answers.entries()) {
        if (n % 2 === 0) assert.deepEqual(answer, { status: 'fulfilled', value: true })
        else assert.equal(answer.status, 'rejected', `create ${n % 4 === 1 ? 'after its deadline' : 'with an aborted signal'} must reject`)
      }
      for (const record of good) assert.deepEqual(await t.get(record.id), record)
      for (const record of [...late, ...aborted]) assert.equal(await t.get(record.id), undefined, 'what was rejected was not written')
    },
  },
]

/** Fields that tell which write they are of. */
function whole(n: number): Partial<SessionRecord> {
  return { owner: `owner ${n}`, data: `data ${n}`, mustEndAt: 9e15 + n, ttlMs: Number.POSITIVE_INFINITY }
}

function isWhole(record: SessionRecord): boolean {
  const n = record.mustEndAt - 9e15
  return record.owner === `owner ${n}` && record.data === `data ${n}` && record.expiresAt === record.mustEndAt
}
