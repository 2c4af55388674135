import assert from 'node:assert/strict'
import type { SessionBackend } from '@mcp-session/core/backend'
import type { Case } from '../case.ts'
import { eventually } from '../eventually.ts'
import type { Trial } from '../trial.ts'

export const signalCases: readonly Case[] = [
  {
    id: 'signals/reach-the-own-node',
    law: 'signals/delivered',
    requires: ['signals'],
    async run(t) {
      await assertArrives(t, t.backend, t.backend)
    },
  },
  {
    id: 'signals/reach-another-node',
    law: 'signals/delivered',
    requires: ['signals', 'shared'],
    async run(t) {
      const other = await t.another()
      await assertArrives(t, t.backend, other)
      await assertArrives(t, other, t.backend)
    },
  },
  {
    id: 'signals/reach-another-process',
    law: 'signals/delivered',
    requires: ['signals', 'shared-by-processes'],
    async run(t) {
      const { backend } = await t.secondProcess()
      await assertArrives(t, t.backend, backend)
      await assertArrives(t, backend, t.backend)
    },
  },
  {
    id: 'signals/arrive-at-most-once',
    law: 'signals/delivered',
    requires: ['signals'],
    async run(t) {
      const heard: [string[], string[]] = [[], []]
      for (const list of heard) await listen(t, t.backend, 'channel', (message) => message !== undefined && list.push(message))
      for (let n = 0; n < 20; n += 1) await t.signals.publish('channel', `message ${n}`, t.call())
      await arrives(t, t.backend, t.backend, 'channel')
      for (const list of heard) {
        const counted = list.filter((message) => message.startsWith('message '))
        assert.equal(new Set(counted).size, counted.length, 'no listener is told twice')
      }
    },
  },
  {
    id: 'signals/every-listener-of-a-channel-hears',
    law: 'signals/delivered',
    requires: ['signals'],
    async run(t) {
      const heard = new Set<number>()
      for (let n = 0; n < 4; n += 1) await listen(t, t.backend, 'channel', () => heard.add(n))
      await eventually(
        t.patienceMs,
        () => heard.size === 4,
        () => `only the listeners ${[...heard]} of 4 were called`,
        () => t.signals.publish('channel', 'hint', t.call()),
      )
    },
  },
  {
    id: 'signals/keep-to-their-channel',
    law: ['signals/delivered', 'signals/bounded'],
    requires: ['signals'],
    async run(t) {
      const long = 'c'.repeat(254)
      const channels = ['c', 'C', 'cc', 'c*', 'c?', '[c]', "c'", 'c"', 'c\\', 'é', 'e\u0301', ' c', '1', '01', `${long}1`, `${long}2`]
      const heard: string[] = []
      for (const channel of channels)
        await listen(t, t.backend, channel, (message) => message !== undefined && heard.push(`${channel}←${message}`))
      for (const channel of channels) {
        await eventually(
          t.patienceMs,
          () => heard.includes(`${channel}←for ${channel}`),
          () => `nothing arrived on channel ${JSON.stringify(channel.slice(0, 20))} of ${channel.length} characters`,
          () => t.signals.publish(channel, `for ${channel}`, t.call()),
        )
      }
      for (const line of heard) {
        const [channel, message] = line.split('←')
        assert.equal(message, `for ${channel}`, 'a channel hears only what is published on it')
      }
    },
  },
  {
    id: 'signals/messages-arrive-unchanged',
    law: 'signals/bounded',
    requires: ['signals'],
    async run(t) {
      const messages = [
        '',
        ' ',
        'null',
        '{"a":"b"}',
        "'; drop table x; --",
        '\n\r\t\u0001',
        'é\u{1F511}\u2028',
        'x'.repeat(1_024),
        'é'.repeat(512),
        '\\\\',
        '%s $1',
      ]
      const heard = new Set<string | undefined>()
      await listen(t, t.backend, 'channel', (message) => heard.add(message))
      for (const message of messages) {
        await eventually(
          t.patienceMs,
          () => heard.has(message),
          () => `${JSON.stringify(message.slice(0, 30))} of ${Buffer.byteLength(message)} bytes did not arrive`,
          () => t.signals.publish('channel', message, t.call()),
        )
      }
      heard.delete(undefined)
      assert.deepEqual(heard, new Set(messages))
    },
  },
  {
    id: 'signals/stop-when-told-to',
    law: 'signals/listening',
    requires: ['signals'],
    async run(t) {
      const late: unknown[] = []
      let stopped = false
      const listener = (message: string | undefined): void => {
        if (stopped) late.push(message)
      }
      const stop = await t.signals.subscribe('channel', listener)
      await arrives(t, t.backend, t.backend, 'channel')
      await stop()
      stopped = true
      await arrives(t, t.backend, t.backend, 'channel')
      assert.deepEqual(late, [], 'a listener that was stopped is not called any more')
      await stop()
      await arrives(t, t.backend, t.backend, 'channel')
    },
  },
  {
    id: 'signals/stopping-one-leaves-the-others',
    law: ['signals/listening', 'signals/harmless'],
    requires: ['signals'],
    async run(t) {
      const calls = { same: 0 }
      const same = (): void => {
        calls.same += 1
      }
      const stopFirst = await t.signals.subscribe('channel', same)
      t.atEnd(await t.signals.subscribe('channel', same))
      await stopFirst()
      await eventually(
        t.patienceMs,
        () => calls.same > 0,
        () => 'the same function was subscribed twice, and one stop has stopped both',
        () => t.signals.publish('channel', 'hint', t.call()),
      )
    },
  },
  {
    id: 'signals/listening-has-begun-when-subscribe-resolves',
    law: 'signals/listening',
    requires: ['signals'],
    async run(t) {
      let arrived = 0
      for (let n = 0; n < 10; n += 1) {
        let heard = false
        await listen(t, t.backend, `channel ${n}`, (message) => {
          heard ||= message === 'hint'
        })
        await t.signals.publish(`channel ${n}`, 'hint', t.call())
        await arrives(t, t.backend, t.backend, `channel ${n}`)
        if (heard) arrived += 1
      }
      assert.ok(arrived >= 5, `a hint may be lost, but only ${arrived} of 10 arrived that were published right after subscribe`)
    },
  },
  {
    id: 'signals/a-throwing-listener-harms-nobody',
    law: 'signals/harmless',
    requires: ['signals'],
    async run(t) {
      const bad = (): never => {
        throw new Error('a listener of the conformance kit throws on purpose')
      }
      const heard = { before: 0, after: 0 }
      await listen(t, t.backend, 'channel', () => {
        heard.before += 1
      })
      await listen(t, t.backend, 'channel', bad)
      await listen(t, t.backend, 'channel', () => {
        heard.after += 1
      })
      for (let n = 0; n < 3; n += 1) {
        const before = { ...heard }
        await eventually(
          t.patienceMs,
          () => heard.before > before.before && heard.after > before.after,
          () => `listeners beside one that throws: ${JSON.stringify(heard)}`,
          () => t.signals.publish('channel', 'hint', t.call()),
        )
      }
      await t.stored()
    },
  },
  {
    id: 'signals/a-gap-calls-every-listener',
    law: 'signals/look-at-everything',
    requires: ['signals', 'crash'],
    async run(t) {
      const gaps = new Set<string>()
      for (const channel of ['one', 'two']) await listen(t, t.backend, channel, (message) => message === undefined && gaps.add(channel))
      await t.crash()
      await eventually(
        t.patienceMs,
        () => gaps.size === 2,
        () => `after the engine was gone only [${[...gaps]}] were told to look at everything`,
        // A call finds out that the connection is broken, where nothing else does.
        () => t.backend.get('s_x', t.call()).catch(() => {}),
      )
      await arrives(t, t.backend, t.backend, 'one')
    },
  },
]

async function listen(t: Trial, on: SessionBackend, channel: string, listener: (message: string | undefined) => unknown): Promise<void> {
  const stop = await on.signals?.subscribe(channel, (message) => void listener(message))
  assert.equal(typeof stop, 'function', 'subscribe gives a function that stops it')
  if (stop !== undefined) t.atEnd(stop)
}

async function assertArrives(t: Trial, from: SessionBackend, to: SessionBackend): Promise<void> {
  for (const channel of ['one', 'two']) await arrives(t, from, to, channel)
}

/** A hint may be lost: it is given again until it arrives. When it has, all that was published before has had its time. */
async function arrives(t: Trial, from: SessionBackend, to: SessionBackend, channel: string): Promise<void> {
  const message = `to ${channel} ${t.random.hex(8)}`
  let arrived = false
  const stop = await to.signals?.subscribe(channel, (heard) => {
    if (heard === message) arrived = true
  })
  await eventually(
    t.patienceMs,
    () => arrived,
    () => `a message on ${channel} did not arrive`,
    async () => from.signals?.publish(channel, message, t.call()),
  )
  await stop?.()
}
