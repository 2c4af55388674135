import type { SessionBackend, SignalBus, SignalListener } from '@mcp-session/core/backend'
import { alteredBackend } from '../../src/altered-backend.ts'
import { nextTurn } from '../../src/eventually.ts'
import { type Plant, remembered } from './plant.ts'

export const signalPlants: readonly Plant[] = [
  {
    id: 'signals/every-message-arrives-twice',
    law: 'signals/delivered',
    plant: (backend) => onMessages(backend, (listener) => (message) => [listener(message), listener(message)]),
  },
  {
    id: 'signals/not-to-the-own-node',
    law: 'signals/delivered',
    plant(backend) {
      const own = new Set<string>()
      return withBus(backend, (bus) => ({
        publish(channel, message, call) {
          own.add(message)
          return bus.publish(channel, message, call)
        },
        subscribe: (channel, listener) =>
          bus.subscribe(channel, (message) => (message !== undefined && own.has(message) ? undefined : listener(message))),
      }))
    },
  },
  {
    id: 'signals/only-to-the-own-node',
    law: 'signals/delivered',
    plant(backend) {
      const own = new Set<string>()
      return withBus(backend, (bus) => ({
        publish(channel, message, call) {
          own.add(message)
          return bus.publish(channel, message, call)
        },
        subscribe: (channel, listener) =>
          bus.subscribe(channel, (message) => (message === undefined || own.has(message) ? listener(message) : undefined)),
      }))
    },
  },
  {
    id: 'signals/channels-without-case',
    law: 'signals/delivered',
    plant: (backend) => onChannels(backend, (channel) => channel.toLowerCase()),
  },
  {
    id: 'signals/one-listener-a-channel',
    law: 'signals/delivered',
    plant(backend) {
      const current = new Map<string, SignalListener>()
      return withBus(backend, (bus) => ({
        subscribe(channel, listener) {
          current.set(channel, listener)
          return bus.subscribe(channel, (message) => (current.get(channel) === listener ? listener(message) : undefined))
        },
      }))
    },
  },
  {
    id: 'signals/subscribe-resolves-before-it-listens',
    law: 'signals/listening',
    plant: (backend) =>
      withBus(backend, (bus) => ({
        async subscribe(channel, listener) {
          let stopped = false
          const later = (async () => {
            for (let turns = 0; turns < 20; turns += 1) await nextTurn()
            return stopped ? undefined : bus.subscribe(channel, listener)
          })()
          later.catch(() => {})
          return async () => {
            stopped = true
            await (await later)?.()
          }
        },
      })),
  },
  {
    id: 'signals/stop-does-not-stop',
    law: 'signals/listening',
    plant: (backend) =>
      withBus(backend, (bus) => ({
        async subscribe(channel, listener) {
          await bus.subscribe(channel, listener)
          return async () => {}
        },
      })),
  },
  {
    id: 'signals/one-stop-stops-all-of-the-function',
    law: 'signals/listening',
    plant(backend) {
      const stopped = new WeakSet<SignalListener>()
      return withBus(backend, (bus) => ({
        async subscribe(channel, listener) {
          stopped.delete(listener)
          const stop = await bus.subscribe(channel, (message) => (stopped.has(listener) ? undefined : listener(message)))
          return async () => {
            stopped.add(listener)
            await stop()
          }
        },
      }))
    },
  },
  {
    id: 'signals/one-stop-stops-the-channel',
    law: 'signals/listening',
    plant(backend) {
      const stops = new Map<string, Set<() => Promise<void>>>()
      return withBus(backend, (bus) => ({
        async subscribe(channel, listener) {
          const stop = await bus.subscribe(channel, listener)
          const all = stops.get(channel) ?? new Set()
          stops.set(channel, all.add(stop))
          return async () => {
            await Promise.all([...all].map((each) => each()))
          }
        },
      }))
    },
  },
  {
    id: 'signals/a-gap-is-not-told',
    law: 'signals/look-at-everything',
    plant: (backend) => onMessages(backend, (listener) => (message) => (message === undefined ? undefined : listener(message))),
  },
  {
    id: 'signals/a-gap-is-told-to-one-channel',
    law: 'signals/look-at-everything',
    plant(backend) {
      let first: string | undefined
      return withBus(backend, (bus) => ({
        subscribe(channel, listener) {
          first ??= channel
          return bus.subscribe(channel, (message) => (message === undefined && channel !== first ? undefined : listener(message)))
        },
      }))
    },
  },
  {
    id: 'signals/a-throwing-listener-fails-the-publisher',
    law: 'signals/harmless',
    plant(backend, engine) {
      const failed = remembered(engine, 'failed', (): unknown[] => [])
      return withBus(backend, (bus) => ({
        async publish(channel, message, call) {
          failed.length = 0
          await bus.publish(channel, message, call)
          for (let turns = 0; turns < 3; turns += 1) await nextTurn()
          if (failed.length > 0) throw failed[0]
        },
        subscribe: (channel, listener) =>
          bus.subscribe(
            channel,
            guarded(listener, (error) => failed.push(error)),
          ),
      }))
    },
  },
  {
    id: 'signals/a-throwing-listener-stops-the-others',
    law: 'signals/harmless',
    plant(backend) {
      const broken = new Set<string>()
      return withBus(backend, (bus) => ({
        subscribe(channel, listener) {
          const watched = guarded(listener, () => broken.add(channel))
          return bus.subscribe(channel, (message) => (broken.has(channel) ? undefined : watched(message)))
        },
      }))
    },
  },
  {
    id: 'signals/channels-of-63-characters',
    law: 'signals/bounded',
    plant: (backend) => onChannels(backend, (channel) => channel.slice(0, 63)),
  },
  {
    id: 'signals/messages-of-512-bytes',
    law: 'signals/bounded',
    plant: (backend) =>
      withBus(backend, (bus) => ({
        publish: (channel, message, call) => bus.publish(channel, Buffer.from(message).subarray(0, 512).toString(), call),
      })),
  },
  {
    id: 'signals/messages-end-at-a-line-break',
    law: 'signals/bounded',
    plant: (backend) =>
      withBus(backend, (bus) => ({ publish: (channel, message, call) => bus.publish(channel, message.split('\n')[0] ?? '', call) })),
  },
]

function withBus(backend: SessionBackend, methods: (bus: SignalBus) => Partial<SignalBus>): SessionBackend {
  const { signals } = backend
  if (signals === undefined) throw new Error('the simulated engine has signals')
  return alteredBackend(backend, { signals: methods(signals) })
}

function onMessages(
  backend: SessionBackend,
  change: (listener: SignalListener) => (message: string | undefined) => unknown,
): SessionBackend {
  return withBus(backend, (bus) => ({
    subscribe: (channel, listener) => bus.subscribe(channel, (message) => void change(listener)(message)),
  }))
}

function onChannels(backend: SessionBackend, map: (channel: string) => string): SessionBackend {
  return withBus(backend, (bus) => ({
    publish: (channel, message, call) => bus.publish(map(channel), message, call),
    subscribe: (channel, listener) => bus.subscribe(map(channel), listener),
  }))
}

function guarded(listener: SignalListener, failed: (error: unknown) => void): SignalListener {
  return (message) => {
    try {
      listener(message)
    } catch (error) {
      failed(error)
    }
  }
}
