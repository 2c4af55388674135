import { checkFunction, checkSize, checkString } from './arguments.ts'
import type { SignalBus, SignalListener } from './backend.ts'
import type { SessionSignals } from './sessions.ts'
import type { Method, StoreParts } from './store-parts.ts'

/** The signals under the store's policy; `end` stops every subscription that is left. */
export interface SignalHub extends SessionSignals {
  end(): Promise<void>
}

export function signalHub<M>(parts: StoreParts<M>, bus: SignalBus, method: Method): SignalHub {
  const { calls, options } = parts
  const subscriptions = new Set<() => Promise<void>>()

  /** A listener that throws harms nobody, and is heard of. */
  function guarded(listener: SignalListener): SignalListener {
    return (message) => {
      try {
        listener(message)
      } catch (error) {
        options.onError(error)
      }
    }
  }

  return {
    publish: (channel, message) =>
      method('publish', async () => {
        checkChannel(channel)
        checkSize(Buffer.byteLength(checkString(message, 'message')), 'message', 1_024, 'bytes')
        const call = calls.begin(undefined)
        await calls.write(call, () => bus.publish(channel, message, call))
      }),

    subscribe: (channel, listener) =>
      method('subscribe', async () => {
        checkChannel(channel)
        checkFunction(listener, 'listener')
        const call = calls.begin(undefined)
        let late = false
        const begin = async () => {
          const begun = await bus.subscribe(channel, guarded(listener))
          if (late) await begun()
          return begun
        }
        const unsubscribe = await calls.read(call, begin).catch((error: unknown) => {
          late = true
          throw error
        })
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

function checkChannel(channel: unknown): void {
  checkSize(checkString(channel, 'channel').length, 'channel', 255, 'characters')
}
