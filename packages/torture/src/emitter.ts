import { writeSync } from 'node:fs'
import { setTimeout as after } from 'node:timers/promises'

/** One message of an emitter: which process sent it, and its number there. */
export interface Emitted {
  readonly incarnation: number
  readonly n: number
}

export interface EmitterOptions {
  readonly incarnation: number
  readonly sessionId: string
  /** File descriptor of the ledger, opened for appending: it outlives this process. */
  readonly ledger: number
  readonly send: (message: Emitted) => Promise<void>
}

/** Messages that are sent without waiting for each other, at most. */
const longestBurst = 4
/** Between two bursts, at most. With bursts it makes some 60 messages a second. */
const longestPauseMs = 60

/** Sends numbered messages until one fails, and writes each into the ledger once its `send` has resolved: that acknowledges it. */
export async function emit({ incarnation, sessionId, ledger, send }: EmitterOptions): Promise<void> {
  let count = 0
  async function one(): Promise<void> {
    count += 1
    const n = count
    await send({ incarnation, n })
    writeSync(ledger, `${sessionId} ${incarnation} ${n}\n`)
  }
  for (;;) {
    await Promise.all(Array.from({ length: 1 + Math.floor(Math.random() * longestBurst) }, one))
    await after(Math.random() * longestPauseMs)
  }
}
