import type { Call, SessionBackend, SignalListener } from '@mcp-session/core/backend'
import type { Ask } from './second-process-handle.ts'

/** A backend in another process, as far as the cases use one there. */
export function remoteBackend(ask: Ask, listeners: Map<number, SignalListener>): SessionBackend {
  // What comes back is what the backend over there gave: the kit checks it, as it checks the one over here.
  const remote = <T>(method: string, args: readonly unknown[], call: Call): Promise<T> =>
    ask({ do: 'call', step: { method, args }, now: call.now }) as Promise<T>

  return {
    get info(): never {
      throw new Error('info is not carried over')
    },
    open: () => Promise.resolve(),
    create: (record, call) => remote('create', [record], call),
    get: (id, call) => remote('get', [id], call),
    replace: (record, expectedRev, call) => remote('replace', [record, expectedRev], call),
    touch: (touch, call) => remote('touch', [touch], call),
    delete: (id, expectedRev, call) => remote('delete', [id, expectedRev], call),
    list: (query, call) => remote('list', [query], call),
    deleteExpired: (limit, call) => remote('deleteExpired', [limit], call),
    health: (call) => remote('health', [], call),
    close: () => Promise.resolve(),
    classify: () => undefined,
    events: {
      append: (id, event, retention, call) => remote('events.append', [id, event, retention], call),
      read: (id, query, call) => remote('events.read', [id, query], call),
      restore: (id, page, call) => remote('events.restore', [id, page], call),
    },
    signals: {
      publish: (channel, message, call) => remote('signals.publish', [channel, message], call),
      async subscribe(channel, listener) {
        const subscription = (await ask({ do: 'subscribe', channel })) as number
        listeners.set(subscription, listener)
        return async () => {
          await ask({ do: 'unsubscribe', subscription })
          listeners.delete(subscription)
        }
      },
    },
  }
}
