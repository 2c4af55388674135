import type { SignalBus } from './backend.ts'
import type { SessionSignals } from './sessions.ts'
import type { Method, StoreParts } from './store-parts.ts'

/** The signals under the store's policy; `end` stops every subscription that is left. */
export interface SignalHub extends SessionSignals {
  end(): Promise<void>
}

export function signalHub<M>(parts: StoreParts<M>, bus: SignalBus, method: Method): SignalHub {
  const { calls, options } = parts
  const subscriptions = new Set<() => Promise<void>>()

  return {
    publish: (channel, message) =>
      method('publish', async () => {
        check(channel, 'channel', 255)
        check(message, 'message', 1_024)
        const call = calls.begin(undefined)
        await calls.write(call, () => bus.publish(channel, message, call))
      }),

    subscribe: (channel, listener) =>
      method('subscribe', async () => {
        check(channel, 'channel', 255)
        const call = calls.begin(undefined)
        const unsubscribe = await calls.read(call, () => bus.subscribe(channel, listener))
        const stop = async () => {
          if (subscriptions.delete(stop)) await unsubscribe()
        }
        subscriptions.add(stop)
        return stop
      }),

    async end() {
      await Promise.all([...subscriptions].map((stop) => stop().catch(options.onError)))
    },
  }
}

function check(text: unknown, name: string, maxBytes: number): void {
  if (typeof text !== 'string') throw new TypeError(`${name} must be a string, got ${typeof text}`)
  const bytes = Buffer.byteLength(text)
  if (bytes < 1 || bytes > maxBytes) throw new RangeError(`${name} must have 1 to ${maxBytes} bytes, got ${bytes}`)
}
