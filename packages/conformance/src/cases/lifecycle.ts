import assert from 'node:assert/strict'
import type { Case } from '../case.ts'

export const lifecycleCases: readonly Case[] = [
  {
    id: 'lifecycle/info-is-valid-once-open',
    law: ['lifecycle/counted', 'durability/acknowledged'],
    async run(t) {
      const { info } = t.backend
      assert.equal(info.contract, 1)
      assert.match(info.name, /^[a-z][a-z0-9-]*$/)
      assert.ok(['process', 'host', 'cluster'].includes(info.sharing), info.sharing)
      assert.ok(['none', 'caller', 'engine', 'host'].includes(info.durability), info.durability)
      assert.ok(['swept', 'engine'].includes(info.expiry), info.expiry)
      const { warnings } = await t.backend.health(t.call())
      for (const { code, message } of warnings) assert.ok(code.length > 0 && message.length > 0)
      if (t.backend.evicted !== undefined) assert.equal(t.backend.evicted(), 0)
    },
  },
  {
    id: 'lifecycle/the-last-close-acts',
    law: 'lifecycle/counted',
    async run(t) {
      const record = await t.stored()
      await Promise.all([t.backend.open(), t.backend.open()])
      await t.backend.close()
      assert.deepEqual(await t.get(record.id), record, 'one of three openers has closed')
      await t.backend.close()
      assert.deepEqual(await t.get(record.id), record, 'two of three openers have closed')
      await t.backend.close()
      await assert.rejects(t.get(record.id), 'all three openers have closed')
      await t.backend.open()
      await t.stored()
    },
  },
  {
    id: 'lifecycle/close-is-idempotent',
    law: 'lifecycle/counted',
    async run(t) {
      await t.backend.close()
      await t.backend.close()
      await Promise.all([t.backend.close(), t.backend.close()])
      await t.backend.open()
      await t.stored()
      await t.backend.close()
      await assert.rejects(t.create(t.record()), 'closes that nobody had opened for do not count')
    },
  },
  {
    id: 'lifecycle/close-before-open-does-nothing',
    law: 'lifecycle/counted',
    async run(t) {
      const { backend, place = '' } = await t.harness.open()
      t.atEnd(() => t.harness.remove?.(place))
      t.atEnd(() => backend.close())
      await backend.close()
      await assert.rejects(async () => backend.get('s_x', t.call()), 'not open yet')
      await backend.open()
      assert.equal(await backend.create(t.record(), t.call()), true)
    },
  },
  {
    id: 'lifecycle/a-closed-backend-refuses-every-call',
    law: ['lifecycle/counted', 'failure/raw'],
    async run(t) {
      const record = await t.stored()
      await t.backend.close()
      const touch = { id: record.id, rev: record.rev, lastAccessedAt: t.clock.now, expiresAt: record.expiresAt }
      const calls: Record<string, () => Promise<unknown>> = {
        create: () => t.create(t.record()),
        get: () => t.get(record.id),
        replace: () => t.replace(t.successor(record), record.rev),
        touch: () => t.touch(touch),
        delete: () => t.delete(record.id),
        list: () => t.list(),
        deleteExpired: () => t.deleteExpired(),
        health: () => t.backend.health(t.call()),
      }
      if (t.backend.events !== undefined) {
        calls['append'] = () => t.append(record.id, t.event())
        calls['read'] = () => t.read(record.id)
      }
      if (t.backend.signals !== undefined) {
        calls['publish'] = () => t.signals.publish('channel', 'hint', t.call())
        calls['subscribe'] = () => t.signals.subscribe('channel', () => {})
      }
      for (const [name, call] of Object.entries(calls)) {
        await assert.rejects(
          async () => call(),
          (error) => error instanceof Error,
          `${name} on a closed backend rejects`,
        )
      }
    },
  },
  {
    id: 'lifecycle/close-waits-for-calls-in-flight',
    law: 'lifecycle/counted',
    async run(t) {
      const records = Array.from({ length: 30 }, () => t.record())
      let settled = 0
      const calls = records.map((record) =>
        t
          .create(record)
          .catch(() => undefined)
          .finally(() => {
            settled += 1
          }),
      )
      await t.backend.close()
      // A few turns for the reactions to promises that were settled by close already.
      for (let turns = 0; turns < 20; turns += 1) await undefined
      assert.equal(settled, 30, 'when close has resolved, no call is in flight any more')
      const answers = await Promise.all(calls)
      if (t.harness.reopen === undefined || t.backend.info.durability === 'none') return
      const again = t.on(await t.another())
      for (const [n, answer] of answers.entries()) {
        if (answer === true) assert.deepEqual(await again.get(records[n]?.id ?? ''), records[n], 'acknowledged while it closed')
      }
    },
  },
  {
    id: 'lifecycle/opens-again',
    law: 'lifecycle/reopen',
    async run(t) {
      for (let round = 0; round < 3; round += 1) {
        await t.backend.close()
        await t.backend.open()
        const record = await t.stored({ owner: 'alice' })
        assert.deepEqual(await t.get(record.id), record)
        if (t.backend.events !== undefined) assert.ok(await t.append(record.id, t.event()))
        if (t.backend.signals !== undefined) {
          const stop = await t.signals.subscribe('channel', () => {})
          await stop()
        }
      }
    },
  },
  {
    id: 'lifecycle/everything-is-there-after-reopen',
    law: ['lifecycle/reopen', 'durability/acknowledged'],
    requires: ['durable'],
    async run(t) {
      const kept = await Promise.all(Array.from({ length: 20 }, (_, n) => t.stored({ owner: n % 2 === 0 ? 'alice' : null, ttlMs: 10_000 })))
      const [deleted, moved, touched] = [await t.stored(), await t.stored(), await t.stored()]
      await t.delete(deleted.id)
      const replacement = t.successor(moved, { owner: 'alice' })
      await t.replace(replacement, moved.rev)
      const access = { lastAccessedAt: t.clock.now + 5, expiresAt: touched.expiresAt + 5 }
      await t.touch({ id: touched.id, rev: touched.rev, ...access })
      const page = t.backend.events === undefined ? undefined : await writeEvents(t, moved.id)

      const calls = await t.reopened()
      for (const record of kept) assert.deepEqual(await calls.get(record.id), record)
      assert.equal(await calls.get(deleted.id), undefined)
      assert.deepEqual(await calls.get(moved.id), replacement)
      assert.deepEqual(await calls.get(touched.id), { ...touched, ...access })
      assert.equal((await calls.listAll()).length, 22)
      assert.equal((await calls.listAll({ owner: 'alice' })).length, 11)
      if (page !== undefined) assert.deepEqual(await calls.read(moved.id), page)
      t.clock.advance(10_000)
      assert.equal(await calls.deleteExpired(), 20, 'what expires is still known')
    },
  },
  {
    id: 'lifecycle/the-same-object-finds-everything-again',
    law: 'lifecycle/reopen',
    requires: ['durable'],
    async run(t) {
      const record = await t.stored({ owner: 'alice' })
      await t.backend.close()
      await t.backend.open()
      assert.deepEqual(await t.get(record.id), record)
      assert.deepEqual(await t.listAll({ owner: 'alice' }), [record])
    },
  },
  {
    id: 'lifecycle/two-nodes-see-one-store',
    law: ['durability/acknowledged', 'atomic/one-step'],
    requires: ['shared'],
    async run(t) {
      const other = t.on(await t.another())
      const record = await t.stored({ owner: 'alice' })
      assert.deepEqual(await other.get(record.id), record, 'what one has acknowledged the other sees')
      const next = t.successor(record)
      assert.deepEqual(await other.replace(next, record.rev), { replaced: true })
      assert.deepEqual(await t.replace(t.successor(record), record.rev), { replaced: false, current: next })
      assert.equal(await t.delete(record.id), true)
      assert.equal(await other.get(record.id), undefined)
      assert.equal(await other.create(t.record({ id: record.id })), true)
      assert.equal(await t.create(t.record({ id: record.id })), false)
    },
  },
]

async function writeEvents(t: Parameters<Case['run']>[0], id: string) {
  for (let n = 0; n < 5; n += 1) await t.append(id, t.event({ stream: n % 2 === 0 ? 'main' : '!x' }), { maxEvents: 2 })
  return t.read(id)
}
