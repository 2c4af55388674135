import type { Call } from './backend.ts'
import { SessionError } from './errors.ts'

/** What became of one call of a flush. */
export type BatchOutcome<R> = { readonly value: R } | { readonly error: unknown }

export interface BatcherOptions<I, R> {
  /** The backend's name, for messages. */
  readonly name: string
  /**
   * Carries out one flush in one step of the engine: one outcome per input, in order. No two inputs of a flush have the same
   * key. It throws when nothing of the flush can be told apart; then every call of it rejects with what was thrown.
   */
  flush(inputs: readonly I[], calls: readonly Call[]): Promise<readonly BatchOutcome<R>[]>
  /** Whether a thrown error is the fault of one input. Then the flush wrote nothing, and its inputs are run again one by one. */
  isDataError(error: unknown): boolean
  /** Calls that travel together at most. Default 256. */
  readonly maxCalls?: number
  /** Flushes in flight at once at most; they never have a key in common. Default 1. */
  readonly maxFlushes?: number
  /** Size of an input, where inputs can be large: a flush of 256 calls of 2 MiB is more than a driver can put into one request. */
  bytesOf?(input: I): number
  /** Bytes that travel together at most; a single larger input travels alone. Default 8 MiB. */
  readonly maxBytes?: number
  /** Calls that wait at most; beyond that `OVERLOADED`. Default 16,384. */
  readonly maxQueued?: number
}

/** Groups the calls that are pending together into one step of the engine. */
export interface Batcher<I, R> {
  /** Queues an input. Inputs of one key are flushed in order, never two in one flush; those without one need no order. */
  run(key: string | undefined, input: I, call: Call): Promise<R>
  /** Resolves once nothing is queued or in flight. Every call ends at its deadline at the latest, if `flush` keeps to it. */
  drain(): Promise<void>
}

interface Entry<I, R> {
  readonly key: string | undefined
  readonly input: I
  readonly call: Call
  resolve(value: R): void
  reject(error: unknown): void
}

/**
 * The batcher flushes at the next tick while fewer than `maxFlushes` are in flight, else when one of them returns; it never waits for a
 * timer, so a lone caller pays nothing. Reads that need no grouping use a lane of their own.
 */
export function batcher<I, R>(options: BatcherOptions<I, R>): Batcher<I, R> {
  const maxCalls = options.maxCalls ?? 256
  const maxFlushes = options.maxFlushes ?? 1
  const maxQueued = options.maxQueued ?? 16_384
  const maxBytes = options.maxBytes ?? 8_388_608
  let queue: Entry<I, R>[] = []
  let inFlight = 0
  const keysInFlight = new Set<string | undefined>()
  let isScheduled = false
  let drained: (() => void)[] = []

  function run(key: string | undefined, input: I, call: Call): Promise<R> {
    if (queue.length >= maxQueued) return Promise.reject(overloaded(options.name, maxQueued))
    return new Promise<R>((resolve, reject) => {
      queue.push({ key, input, call, resolve, reject })
      schedule()
    })
  }

  function schedule(): void {
    if (isScheduled || inFlight >= maxFlushes) return
    isScheduled = true
    process.nextTick(() => {
      isScheduled = false
      flushAll()
    })
  }

  function flushAll(): void {
    while (inFlight < maxFlushes) {
      const entries = take()
      if (entries.length === 0) break
      inFlight += 1
      void flushTogether(entries).then(() => {
        inFlight -= 1
        for (const { key } of entries) keysInFlight.delete(key)
        // At once: while others go on in microtasks, as cached reads do, no tick comes.
        flushAll()
      })
    }
    if (inFlight > 0 || isScheduled) return
    const waiting = drained
    drained = []
    for (const done of waiting) done()
  }

  /** The next flush: in order, one entry a key; later entries of a taken key, and all beyond the bounds, stay queued. */
  function take(): Entry<I, R>[] {
    const taken: Entry<I, R>[] = []
    const left: Entry<I, R>[] = []
    const keysLeft = new Set<string | undefined>()
    const now = performance.now()
    let bytes = 0
    let full = false

    function fits({ key, input }: Entry<I, R>): boolean {
      if (full || (key !== undefined && (keysInFlight.has(key) || keysLeft.has(key)))) return false
      const size = options.bytesOf?.(input) ?? 0
      full = taken.length > 0 && (taken.length >= maxCalls || bytes + size > maxBytes)
      bytes += size
      return !full
    }

    for (const entry of queue) {
      const { key, call } = entry
      if (call.signal?.aborted) entry.reject(call.signal.reason)
      else if (call.deadlineAt <= now) entry.reject(notSent(options.name))
      else if (fits(entry)) {
        taken.push(entry)
        if (key !== undefined) keysInFlight.add(key)
      } else {
        left.push(entry)
        keysLeft.add(key)
      }
    }
    queue = left
    return taken
  }

  async function flushTogether(entries: readonly Entry<I, R>[]): Promise<void> {
    try {
      settle(entries, await flush(entries))
    } catch (error) {
      if (entries.length > 1 && options.isDataError(error)) await flushApart(entries)
      else for (const entry of entries) entry.reject(error)
    }
  }

  async function flushApart(entries: readonly Entry<I, R>[]): Promise<void> {
    for (const entry of entries) {
      if (entry.call.signal?.aborted) entry.reject(entry.call.signal.reason)
      else if (entry.call.deadlineAt <= performance.now()) entry.reject(notSent(options.name))
      else await flushTogether([entry])
    }
  }

  async function flush(entries: readonly Entry<I, R>[]): Promise<readonly BatchOutcome<R>[]> {
    const outcomes = await options.flush(
      entries.map((entry) => entry.input),
      entries.map((entry) => entry.call),
    )
    if (outcomes.length === entries.length) return outcomes
    throw new SessionError(
      'MCP_SESSION_CONTRACT',
      `A flush of ${options.name} gave ${outcomes.length} outcomes for ${entries.length} calls`,
      {
        outcome: 'unknown',
      },
    )
  }

  function settle(entries: readonly Entry<I, R>[], outcomes: readonly BatchOutcome<R>[]): void {
    for (const [index, entry] of entries.entries()) {
      const outcome = outcomes[index]
      if (outcome === undefined || 'error' in outcome) entry.reject(outcome?.error)
      else entry.resolve(outcome.value)
    }
  }

  function drain(): Promise<void> {
    if (inFlight === 0 && !isScheduled) return Promise.resolve()
    return new Promise((resolve) => {
      drained.push(resolve)
    })
  }

  return { run, drain }
}

function notSent(name: string): SessionError {
  return new SessionError(
    'MCP_SESSION_TIMEOUT',
    `The call was still queued on ${name} at its deadline and was not sent: the engine is slower than the load`,
    {
      retryable: true,
    },
  )
}

function overloaded(name: string, maxQueued: number): SessionError {
  return new SessionError('MCP_SESSION_OVERLOADED', `${maxQueued} calls are queued on ${name} already: shed load or add capacity`, {
    retryable: true,
  })
}
