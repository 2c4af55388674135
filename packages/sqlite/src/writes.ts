import { performance } from 'node:perf_hooks'
import { type BatchOutcome, batcher, type Call, crowd, type Placed, SessionError } from '@mcp-session/core/backend'
import { type Connection, pause } from './connection.ts'
import type { Room } from './room.ts'
import { isBusy, isDataError, isFull, locked } from './sqlite-errors.ts'

/** The write lane: steps that are pending together share one `BEGIN IMMEDIATE … COMMIT`, one sync of the disk. */
export interface WriteLane {
  /** Runs a step inside a transaction and gives its result once that is committed. It throws a SessionError before it writes, if at all. */
  run<T>(call: Call, step: () => T): Promise<T>
  /** As `run`, for what must be possible when there is no room left: it may use the reserve. */
  runWithReserve<T>(call: Call, step: () => T): Promise<T>
  /** Resolves once nothing is queued or in flight. */
  drain(): Promise<void>
}

/** Gives a step's result to its caller, after the commit. */
type Tell = () => void

interface Job extends Placed {
  readonly call: Call
  readonly mayUseReserve: boolean
  step(): Tell
  reject(error: unknown): void
  /** Why it must not run any more; its caller knows already. */
  dropped: { readonly error: unknown } | undefined
}

export function writeLane(connection: Connection, room: Room): WriteLane {
  const pending = crowd<Job>()
  const batches = batcher<Job, Tell>({ name: 'sqlite', flush, isDataError })

  function enqueue<T>(call: Call, mayUseReserve: boolean, step: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const job: Job = { call, mayUseReserve, step: () => told(resolve, step()), reject, dropped: undefined, place: -1 }
      pending.enter(job)
      // The steps of a flush run one after the other, so that calls of one id can share it: none has a key.
      batches.run(undefined, job, call).then(
        (tell) => {
          pending.leave(job)
          tell()
        },
        (error: unknown) => {
          pending.leave(job)
          reject(error)
        },
      )
    })
  }

  async function flush(jobs: readonly Job[]): Promise<readonly BatchOutcome<Tell>[]> {
    const refusal = await room.refusal()
    if (refusal !== undefined) return await withoutRoom(jobs, refusal)
    try {
      return await commit(jobs)
    } catch (error) {
      if (!isFull(error) || !jobs.some((job) => job.mayUseReserve)) throw error
      await room.makeSome()
      return await withoutRoom(jobs, error)
    }
  }

  /** Only what may use the reserve is carried out. */
  async function withoutRoom(jobs: readonly Job[], refusal: unknown): Promise<readonly BatchOutcome<Tell>[]> {
    const outcomes = (await commit(jobs.filter((job) => job.mayUseReserve))).values()
    return jobs.map((job) => (job.mayUseReserve ? outcomes.next().value : undefined) ?? { error: refusal })
  }

  async function commit(jobs: readonly Job[]): Promise<readonly BatchOutcome<Tell>[]> {
    for (;;) {
      try {
        if (jobs.every((job) => job.dropped)) return jobs.map(outcome)
        const outcomes = connection.transact(() => jobs.map(outcome))
        room.written()
        return outcomes
      } catch (error) {
        if (!isBusy(error)) throw error
        dropLate(error)
        await pause(nextDeadline())
        dropLate(error)
      }
    }
  }

  /** While the lock is awaited, every call ends at its own deadline, those that are still queued included. */
  function dropLate(busy: unknown): void {
    const now = performance.now()
    for (const job of pending.members) {
      if (job.call.signal?.aborted) drop(job, job.call.signal.reason)
      else if (job.call.deadlineAt <= now) drop(job, locked(busy))
    }
  }

  function nextDeadline(): number {
    let next = Number.POSITIVE_INFINITY
    for (const job of pending.members) {
      if (job.dropped === undefined) next = Math.min(next, job.call.deadlineAt)
    }
    return next
  }

  return {
    run: (call, step) => enqueue(call, false, step),
    runWithReserve: (call, step) => enqueue(call, true, step),
    drain: batches.drain,
  }
}

function told<T>(resolve: (value: T) => void, value: T): Tell {
  return () => resolve(value)
}

function drop(job: Job, error: unknown): void {
  if (job.dropped !== undefined) return
  job.dropped = { error }
  job.reject(error)
}

/** A damaged row is its own call's failure only: it is found before anything is written. */
function outcome(job: Job): BatchOutcome<Tell> {
  if (job.dropped !== undefined) return job.dropped
  try {
    return { value: job.step() }
  } catch (error) {
    if (SessionError.is(error)) return { error }
    throw error
  }
}
