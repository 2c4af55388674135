import assert from 'node:assert/strict'
import { createHook } from 'node:async_hooks'
import type { EventEmitter } from 'node:events'
import type { SessionBackend } from '@mcp-session/core/backend'
import type { Case } from '../case.ts'
import { eventually } from '../eventually.ts'
import type { Trial } from '../trial.ts'

// A leak of one per cycle shows among the timers and handles that a test runner has of its own.
const CYCLES = 12

export const leakCases: readonly Case[] = [
  {
    id: 'leaks/no-timers-are-left',
    law: 'lifecycle/ownership',
    async run(t) {
      await t.backend.close()
      const timers = new Set<number>()
      const hook = createHook({
        init: (id, type) => {
          if (type === 'Timeout' || type === 'Immediate') timers.add(id)
        },
        destroy: (id) => {
          timers.delete(id)
        },
      })
      await cycle(t)
      hook.enable()
      try {
        for (let n = 0; n < CYCLES; n += 1) await cycle(t)
        await settles(
          t,
          () => timers.size < CYCLES,
          () => `${timers.size} timers are left of ${CYCLES} backends that were closed`,
        )
      } finally {
        hook.disable()
      }
    },
  },
  {
    id: 'leaks/no-handles-are-left',
    law: 'lifecycle/ownership',
    async run(t) {
      await t.backend.close()
      await cycle(t)
      const before = handles()
      for (let n = 0; n < CYCLES; n += 1) await cycle(t)
      await settles(
        t,
        () => [...handles()].every(([type, count]) => count < (before.get(type) ?? 0) + CYCLES),
        () => `before: ${[...before]}, after ${CYCLES} backends that were closed: ${[...handles()]}`,
      )
    },
  },
  {
    id: 'leaks/no-listeners-of-the-process-are-left',
    law: 'lifecycle/ownership',
    async run(t) {
      await t.backend.close()
      await cycle(t)
      const before = listenersOf(process)
      for (let n = 0; n < 3; n += 1) await cycle(t)
      assert.deepEqual(listenersOf(process), before)
    },
  },
  {
    id: 'leaks/a-borrowed-client-is-left-as-it-was',
    law: 'lifecycle/ownership',
    requires: ['borrow'],
    async run(t) {
      const borrowed = await t.harness.borrow?.()
      assert.ok(borrowed)
      t.atEnd(() => borrowed.close())
      await borrowed.use()
      const before = borrowed.emitter === undefined ? [] : listenersOf(borrowed.emitter)
      for (let n = 0; n < 3; n += 1) {
        await use(t, borrowed.backend)
        await borrowed.use()
        if (borrowed.emitter !== undefined) assert.deepEqual(listenersOf(borrowed.emitter), before, 'listeners on the borrowed client')
      }
    },
  },
  {
    id: 'leaks/a-borrowed-client-serves-like-an-owned-one',
    law: ['lifecycle/ownership', 'lifecycle/counted'],
    requires: ['borrow'],
    async run(t) {
      const borrowed = await t.harness.borrow?.()
      assert.ok(borrowed)
      const { backend } = borrowed
      t.atEnd(() => borrowed.close())
      await backend.open()
      await backend.open()
      const calls = t.on(backend, 'borrowed.')
      const record = t.record()
      assert.equal(await calls.create(record), true)
      await backend.close()
      assert.deepEqual(await calls.get(record.id), record)
      await backend.close()
      await assert.rejects(calls.get(record.id), 'closed, although the client is open')
      await borrowed.use()
      await backend.open()
      if (backend.info.durability !== 'none') assert.deepEqual(await calls.get(record.id), record)
      await backend.close()
    },
  },
]

/** Opens a backend on a store of its own, uses every part of it, and closes it. */
async function cycle(t: Trial): Promise<void> {
  const { backend, place = '' } = await t.harness.open()
  try {
    await use(t, backend)
  } finally {
    await backend.close()
    await t.harness.remove?.(place)
  }
}

async function use(t: Trial, backend: SessionBackend): Promise<void> {
  await backend.open()
  const calls = t.on(backend, 'cycle.')
  const record = t.record()
  await calls.create(record)
  await calls.get(record.id)
  if (backend.events !== undefined) await calls.append(record.id, t.event())
  const stop = await backend.signals?.subscribe('channel', () => {})
  await backend.signals?.subscribe('another', () => {})
  await backend.signals?.publish('channel', 'hint', t.call())
  await stop?.()
  await calls.delete(record.id)
  await backend.close()
}

/** What keeps the process alive, by kind. */
function handles(): Map<string, number> {
  const counts = new Map<string, number>()
  for (const type of process.getActiveResourcesInfo()) counts.set(type, (counts.get(type) ?? 0) + 1)
  return counts
}

function listenersOf(emitter: Pick<EventEmitter, 'eventNames' | 'listenerCount'>): string[] {
  return emitter.eventNames().map((name) => `${String(name)}: ${emitter.listenerCount(name)}`)
}

function settles(t: Trial, condition: () => boolean, otherwise: () => string): Promise<void> {
  return eventually(t.patienceMs, condition, otherwise)
}
