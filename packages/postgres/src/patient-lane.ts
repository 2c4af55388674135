import { performance } from 'node:perf_hooks'
import { type BatchOutcome, batcher, type Call } from '@mcp-session/core/backend'
import { isCallsFault, isLocked, locked } from './postgres-errors.ts'
import { pause } from './wire.ts'

/** A lane of calls that travel together and need locks on rows. Where somebody keeps one, only the calls on that row wait for it. */
export interface PatientLane<I, R> {
  /** Calls of one key travel in turn, never two in one flush; those without one need no order. `id` names the row that is locked. */
  run(key: string | undefined, id: string, input: I, call: Call): Promise<R>
  /** Resolves once nothing is queued or in flight. */
  drain(): Promise<void>
}

export interface PatientLaneOptions<I, R> {
  /** One flush, which gives up with `lock_not_available` after `lockMs`, with nothing written. */
  flush(inputs: readonly I[], calls: readonly Call[], lockMs: string): Promise<readonly BatchOutcome<R>[]>
  bytesOf(input: I): number
}

/** A flush waits no longer than this for a row that somebody else has locked. */
const longestLockMs = 250
/**
 * So long before a call's deadline waiting ends, so that the engine can still say that nothing was written: on a machine with more to do
 * than processors its answer took more than 50 ms (measured).
 */
const marginMs = 200

export function patientLane<I, R>({ flush, bytesOf }: PatientLaneOptions<I, R>): PatientLane<I, R> {
  const together = batcher<I, R | typeof wait>({ name: 'postgres', flush: attempt, isDataError: isCallsFault, bytesOf })
  const alone = batcher<I, R | typeof wait>({ name: 'postgres', flush: attempt, isDataError: isCallsFault, maxCalls: 1 })
  const contended = new Map<string, number>()
  const waiting = new Set<Promise<unknown>>()

  async function run(key: string | undefined, id: string, input: I, call: Call): Promise<R> {
    const outcome = await (contended.has(id) ? alone.run(id, input, call) : together.run(key, input, call))
    if (outcome !== wait) return outcome
    const patience = outlast(id, input, call)
    waiting.add(patience)
    return patience.finally(() => waiting.delete(patience))
  }

  async function outlast(id: string, input: I, call: Call): Promise<R> {
    contended.set(id, (contended.get(id) ?? 0) + 1)
    try {
      for (;;) {
        await pause(Math.max(0, Math.min(50 * Math.random(), leftMs(call))))
        call.signal?.throwIfAborted()
        if (leftMs(call) <= 0) throw locked()
        const outcome = await alone.run(id, input, call)
        if (outcome !== wait) return outcome
      }
    } finally {
      const others = (contended.get(id) ?? 1) - 1
      if (others === 0) contended.delete(id)
      else contended.set(id, others)
    }
  }

  async function attempt(inputs: readonly I[], calls: readonly Call[]): Promise<readonly BatchOutcome<R | typeof wait>[]> {
    // Twice, since the limit is one of each lock, and who is not the first to want a row waits for it twice: to be the next, and for its owner.
    // https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-LOCK-TIMEOUT
    const lockMs = Math.max(1, Math.min(longestLockMs, Math.floor(Math.max(...calls.map(leftMs)) / 2)))
    try {
      return await flush(inputs, calls, String(lockMs))
    } catch (error) {
      // Of several calls the batcher finds out which one it was.
      if (isLocked(error) && inputs.length === 1) return [{ value: wait }]
      throw error
    }
  }

  return {
    run,
    async drain() {
      await together.drain()
      await Promise.allSettled([...waiting])
      await alone.drain()
    },
  }
}

/** Stands for an outcome where a lock was in the way. */
const wait: unique symbol = Symbol('wait')

function leftMs(call: Call): number {
  return call.deadlineAt - marginMs - performance.now()
}
