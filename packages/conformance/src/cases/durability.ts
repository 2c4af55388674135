import assert from 'node:assert/strict'
import { SessionError, type SessionRecord } from '@mcp-session/core/backend'
import type { Case } from '../case.ts'
import { nextTurn } from '../eventually.ts'
import type { Step } from '../second-process-protocol.ts'
import type { Trial } from '../trial.ts'

export const durabilityCases: readonly Case[] = [
  {
    id: 'durability/acknowledged-writes-survive-kill',
    law: 'durability/acknowledged',
    requires: ['second-process', 'durable'],
    boundMs: 60_000,
    async run(t) {
      await t.backend.close()
      for (let round = 0; round < 3; round += 1) {
        const chains = Array.from({ length: 4 }, () => chain(t, 50))
        const steps = interleave(chains.map(stepsOf))
        const second = await t.secondProcess()
        // The reply never comes: the process is killed while it writes.
        second.run(steps, chains.length, t.clock.now).catch(() => {})
        await second.whenAcknowledged(5 + t.random.integer(60))
        await second.kill()
        const acknowledged = new Set(second.acknowledged())
        const survivor = await t.another()
        const calls = t.on(survivor, 'survivor.')
        for (const [lane, versions] of chains.entries()) {
          const last = lastWhere(versions, (_, n) => acknowledged.has(n * chains.length + lane))
          assertNotOlder(await calls.get(versions[0]?.id ?? ''), versions, last)
        }
        // Where one process only can have a store open, the next round has to have it.
        await survivor.close()
      }
    },
  },
  {
    id: 'durability/acknowledged-events-survive-kill',
    law: ['durability/acknowledged', 'events/sequence'],
    requires: ['second-process', 'durable', 'events'],
    boundMs: 60_000,
    async run(t) {
      const { id } = await t.stored()
      await t.backend.close()
      const events = Array.from({ length: 150 }, () => t.event())
      const retention = { maxEvents: Number.POSITIVE_INFINITY, maxAgeMs: Number.POSITIVE_INFINITY, maxBytes: Number.POSITIVE_INFINITY }
      const second = await t.secondProcess()
      second
        .run(
          events.map((event) => ({ method: 'events.append', args: [id, event, retention] })),
          3,
          t.clock.now,
        )
        .catch(() => {})
      await second.whenAcknowledged(20 + t.random.integer(60))
      await second.kill()
      const calls = t.on(await t.another(), 'survivor.')
      const page = await calls.read(id)
      const kept = new Set(page?.events.map(({ key }) => key))
      const missing = second.acknowledged().filter((n) => !kept.has(events[n]?.key ?? ''))
      assert.deepEqual(missing, [], 'appends that were acknowledged and are not there')
      const next = await calls.append(id, t.event())
      assert.ok(next !== undefined && next > (page?.last ?? 0), 'sequences go on, and none is used again')
    },
  },
  {
    id: 'durability/deletes-survive-kill',
    law: ['durability/acknowledged', 'delete/is-final'],
    requires: ['second-process', 'durable'],
    boundMs: 60_000,
    async run(t) {
      const records = await Promise.all(Array.from({ length: 60 }, () => t.stored()))
      await t.backend.close()
      const second = await t.secondProcess()
      second
        .run(
          records.map(({ id }) => ({ method: 'delete', args: [id, undefined] })),
          3,
          t.clock.now,
        )
        .catch(() => {})
      await second.whenAcknowledged(10 + t.random.integer(30))
      await second.kill()
      const calls = t.on(await t.another(), 'survivor.')
      for (const n of second.acknowledged())
        assert.equal(await calls.get(records[n]?.id ?? ''), undefined, 'a delete that was acknowledged is final')
    },
  },
  {
    id: 'durability/crash-of-the-engine-takes-nothing-shown',
    law: ['durability/acknowledged', 'durability/no-early-reads', 'failure/raw', 'failure/classified'],
    requires: ['crash'],
    boundMs: 120_000,
    async run(t) {
      for (let round = 0; round < 2; round += 1) await crashWhileWriting(t)
    },
  },
  {
    id: 'durability/events-survive-a-crash-of-the-engine',
    law: ['durability/acknowledged', 'durability/no-early-reads', 'events/sequence'],
    requires: ['crash', 'events'],
    boundMs: 120_000,
    async run(t) {
      const { id } = await t.stored()
      const shown = new Map<string, number>()
      const appends = Array.from({ length: 30 }, async () => {
        const event = t.event()
        const sequence = await t.append(id, event).catch(() => undefined)
        if (sequence !== undefined) shown.set(event.key, sequence)
      })
      await Promise.race(appends)
      for (const event of (await t.read(id).catch(() => undefined))?.events ?? []) shown.set(event.key, event.sequence)
      await t.crash()
      await Promise.all(appends)
      const calls = t.on(await t.another(), 'survivor.')
      const page = await calls.read(id)
      const kept = new Map(page?.events.map((event) => [event.key, event.sequence]))
      for (const [key, sequence] of shown)
        assert.equal(kept.get(key), sequence, 'an append that was acknowledged or shown is there, under its sequence')
      const next = await calls.append(id, t.event())
      assert.ok(
        next !== undefined && [...shown.values()].every((sequence) => next > sequence),
        `${next} is a sequence that was shown before`,
      )
    },
  },
]

/** Versions of one record, each to replace the one before. */
function chain(t: Trial, length: number): SessionRecord[] {
  const versions = [t.record()]
  for (let last = versions[0]; last !== undefined && versions.length < length; last = versions.at(-1)) versions.push(t.successor(last))
  return versions
}

function stepsOf(versions: readonly SessionRecord[]): Step[] {
  return versions.map((version, n) => {
    const before = versions[n - 1]
    return before === undefined ? { method: 'create', args: [version] } : { method: 'replace', args: [version, before.rev] }
  })
}

/** Step n of lane l at n × lanes + l, as lanes take them. */
function interleave(lanes: readonly Step[][]): Step[] {
  const steps: Step[] = []
  for (let n = 0; n < (lanes[0]?.length ?? 0); n += 1) for (const lane of lanes) steps.push(...lane.slice(n, n + 1))
  return steps
}

function lastWhere<T>(items: readonly T[], holds: (item: T, index: number) => boolean): number {
  let last = -1
  for (const [index, item] of items.entries()) if (holds(item, index)) last = index
  return last
}

/** What is there must be the version with that number, or a later one: later ones had begun as well. */
function assertNotOlder(there: SessionRecord | undefined, versions: readonly SessionRecord[], atLeast: number): void {
  const found = versions.findIndex((version) => version.rev === there?.rev)
  assert.ok(
    found >= atLeast,
    `version ${atLeast} was acknowledged or shown, and after the crash there is ${found === -1 ? 'nothing' : `version ${found}`}`,
  )
  if (there !== undefined) assert.deepEqual(there, versions[found], 'whole, and as it was written')
}

async function crashWhileWriting(t: Trial): Promise<void> {
  const node = t.on(await t.another(), 'node.')
  const chains = Array.from({ length: 6 }, () => chain(t, 40))
  const known = chains.map(() => -1)
  const failures: unknown[] = []
  let crashed = false
  const note = (lane: number, version: number): void => {
    known[lane] = Math.max(known[lane] ?? -1, version)
  }
  const writers = chains.map(async (versions, lane) => {
    for (const [n, version] of versions.entries()) {
      const before = versions[n - 1]
      if (crashed) return
      try {
        if (before === undefined) await node.create(version)
        else await node.replace(version, before.rev)
        note(lane, n)
      } catch (error) {
        failures.push(error)
        return
      }
    }
  })
  const readers = chains.map(async (versions, lane) => {
    while (!crashed && (known[lane] ?? 0) < versions.length - 1) {
      const record = await node.get(versions[0]?.id ?? '').catch(() => undefined)
      if (record !== undefined)
        note(
          lane,
          versions.findIndex(({ rev }) => rev === record.rev),
        )
      await nextTurn()
    }
  })
  await Promise.race(writers.map((_, lane) => until(() => crashed || (known[lane] ?? -1) >= 3 + t.random.integer(4))))
  const crash = t.crash()
  crashed = true
  await Promise.all([crash, ...writers, ...readers])
  const survivor = t.on(await t.another(), 'survivor.')
  for (const [lane, versions] of chains.entries()) assertNotOlder(await survivor.get(versions[0]?.id ?? ''), versions, known[lane] ?? -1)
  for (const error of failures) {
    const named = SessionError.is(error) ? error.code : t.backend.classify(error)?.code
    assert.ok(named !== undefined, `classify names the error of a dead engine: ${error}`)
    assert.ok(
      !SessionError.is(error, 'MCP_SESSION_UNAVAILABLE'),
      'the backend throws what the driver threw; UNAVAILABLE is for classify to say',
    )
  }
}

/** Waits, turn by turn of the loop, for a condition that calls in flight bring about. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await nextTurn()
}
