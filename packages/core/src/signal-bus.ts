import type { Call } from './backend.ts'

/** Hints between nodes: "look at session X". */
export interface SignalBus {
  publish(channel: string, message: string, call: Call): Promise<void>
  /** Listens until the returned function is called. `undefined` as message: look at everything. */
  subscribe(channel: string, listener: SignalListener): Promise<() => Promise<void>>
}

export type SignalListener = (message: string | undefined) => void
