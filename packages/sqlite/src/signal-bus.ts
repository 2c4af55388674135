import { performance } from 'node:perf_hooks'
import type { Call, SignalBus, SignalListener } from '@mcp-session/core/backend'
import type { Connection } from './connection.ts'
import { columnsOf } from './rows.ts'
import type { Statements } from './statements.ts'
import type { WriteLane } from './writes.ts'

/** Signals through a table: what one process commits, the others find when the data version of the file moves. */
export interface HostSignals extends SignalBus {
  /** Ends all subscriptions and the timer. */
  clear(): void
}

interface Subscription {
  readonly channel: string
  readonly listener: SignalListener
}

/** Reading the data version costs 2 µs. */
const pollMs = 50
/** A process that falls behind by more than this many signals is told to look at everything. */
const maxKept = 4_096
const subscribeWithinMs = 5_000

export function signalBus(connection: Connection, lane: WriteLane, statements: Statements): HostSignals {
  const subscriptions = new Set<Subscription>()
  let timer: NodeJS.Timeout | undefined
  let dataVersion: unknown
  let seen = 0

  async function publish(channel: string, message: string, call: Call): Promise<void> {
    const seq = await lane.run(call, () => {
      const inserted = seqOf(statements.insertSignal.get(channel, message))
      statements.trimSignals.run(inserted - maxKept)
      return inserted
    })
    // Writes of this connection do not move the data version that it sees.
    if (subscriptions.size > 0 && seen < seq) quietly(deliverNew)
  }

  async function subscribe(channel: string, listener: SignalListener): Promise<() => Promise<void>> {
    const call: Call = { now: 0, deadlineAt: performance.now() + subscribeWithinMs }
    const last = await connection.persist(call, () => seqOf(statements.lastSignal.get()))
    const subscription = { channel, listener }
    if (subscriptions.size === 0) seen = last
    subscriptions.add(subscription)
    timer ??= setInterval(quietly, pollMs, poll).unref()
    return async () => {
      subscriptions.delete(subscription)
      if (subscriptions.size === 0) stop()
    }
  }

  function poll(): void {
    const version = connection.attempt(() => connection.database.pragma('data_version', { simple: true }))
    if (version === dataVersion) return
    deliverNew()
    dataVersion = version
  }

  function deliverNew(): void {
    for (;;) {
      const rows = connection.attempt(() => statements.signalsAfter.all(seen))
      if (rows.length === 0) return
      const isGap = seqOf(rows[0]) !== seen + 1
      seen = seqOf(rows.at(-1))
      if (isGap) for (const subscription of [...subscriptions]) tell(subscription, undefined)
      for (const row of rows) deliver(row)
    }
  }

  function deliver(row: unknown): void {
    const { channel, message } = columnsOf(row)
    for (const subscription of [...subscriptions]) {
      if (subscription.channel === channel) tell(subscription, String(message))
    }
  }

  /** A turn of the event loop later: a listener cannot disturb whoever publishes or polls. */
  function tell(subscription: Subscription, message: string | undefined): void {
    setImmediate(() => {
      if (subscriptions.has(subscription)) heard(subscription.listener, message).catch(ignore)
    })
  }

  /** Signals are hints: what cannot be read now is read at the next tick. */
  function quietly(step: () => void): void {
    try {
      step()
    } catch {
      dataVersion = undefined
    }
  }

  function stop(): void {
    clearInterval(timer)
    timer = undefined
  }

  return {
    publish,
    subscribe,
    clear() {
      subscriptions.clear()
      stop()
    },
  }
}

function seqOf(row: unknown): number {
  return Number(columnsOf(row)['seq'])
}

/** Async, so that a listener that rejects is as harmless as one that throws. */
async function heard(listener: SignalListener, message: string | undefined): Promise<void> {
  const outcome: unknown = listener(message)
  await outcome
}

/** Law `signals/harmless`: the failure of a listener is its own; there is nobody here to tell. */
function ignore(): void {}
