import type { SignalBus, SignalListener } from '../src/backend.ts'
import type { ScriptedMethod } from './scripted-backend.ts'

type React = <T>(method: ScriptedMethod, args: readonly unknown[], apply: () => Promise<T>) => Promise<T>

/** The signals of the scripted backend. */
export function scriptedSignals(react: React): SignalBus {
  const listeners = new Set<{ readonly channel: string; readonly listener: SignalListener }>()

  return {
    publish: (channel, message, call) =>
      react('publish', [channel, message, call], async () => {
        for (const entry of listeners) if (entry.channel === channel) entry.listener(message)
      }),
    subscribe: (channel, listener) =>
      react('subscribe', [channel, listener], async () => {
        const entry = { channel, listener }
        listeners.add(entry)
        return async () => {
          listeners.delete(entry)
        }
      }),
  }
}
