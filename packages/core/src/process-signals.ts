import type { Call, SignalBus, SignalListener } from './backend.ts'

/** Signals within one process: all that a store of one process needs. */
export interface ProcessSignals extends SignalBus {
  /** Ends all subscriptions; messages on their way are dropped. */
  clear(): void
}

interface Subscription {
  readonly listener: SignalListener
}

/** `admit` throws where the backend, or the call if there is one, must not go on. Messages of a channel keep their order. */
export function processSignals(admit: (call?: Call) => void): ProcessSignals {
  const channels = new Map<string, Set<Subscription>>()

  function unsubscribe(channel: string, subscription: Subscription): void {
    const subscriptions = channels.get(channel)
    if (subscriptions?.delete(subscription) && subscriptions.size === 0) channels.delete(channel)
  }

  function deliver(channel: string, subscription: Subscription, message: string): void {
    if (!channels.get(channel)?.has(subscription)) return
    notify(subscription.listener, message).catch(ignore)
  }

  return {
    async publish(channel, message, call) {
      admit(call)
      const subscriptions = channels.get(channel)
      if (subscriptions === undefined) return
      // A turn of the event loop later: listeners that publish in turn cannot starve it, and never run inside a publish.
      for (const subscription of subscriptions) setImmediate(deliver, channel, subscription, message)
    },

    async subscribe(channel, listener) {
      admit()
      const subscription = { listener }
      const subscriptions = channels.get(channel) ?? new Set<Subscription>()
      channels.set(channel, subscriptions.add(subscription))
      return async () => unsubscribe(channel, subscription)
    },

    clear: () => channels.clear(),
  }
}

/** Async, so that a listener that rejects is as harmless as one that throws. */
async function notify(listener: SignalListener, message: string): Promise<void> {
  const outcome: unknown = listener(message)
  await outcome
}

/** Law `signals/harmless`: the failure of a listener is its own; there is nobody here to tell. */
function ignore(): void {}
