import { type BatchOutcome, batcher, type Call, SessionError } from '@mcp-session/core/backend'
import type { FolderLock } from '@mcp-session/core/folder-lock'
import type { Log } from './log.ts'

/** The write lane: calls that are pending together are judged one after the other, and share one write and one sync. */
export interface Lane {
  /** `key`: inputs of one key are never in one flush. `judge` sees only what is on disk. */
  run<T>(key: string, call: Call, judge: Judge<T>, turn?: Turn): Promise<T>
  /** Resolves once nothing is queued or in flight. */
  drain(): Promise<void>
}

/** Decides what a call does; `isBusy`: another call of the flush is about that session. It writes nothing, and throws for its own call only. */
export type Judge<T> = (isBusy: (id: string) => boolean) => Step<T>

export interface Step<T> {
  /** What it writes. None: it is done already, and does not wait for the disk. */
  readonly frames: readonly Buffer[]
  /** It makes room: it may be written when the disk is full. */
  readonly makesRoom: boolean
  /** Something else that no write may run beside; done before the frames of the flush are written. */
  readonly action?: () => Promise<void>
  /** Changes the index to what is on disk now, and gives the result. `places`: of the frames. */
  apply(places: readonly number[]): T
}

/** Compaction copies before calls of the same flush change what it copies; a sweep leaves what they are about. */
export type Turn = 'copy' | 'call' | 'sweep'

interface Job {
  readonly key: string
  readonly turn: Turn
  /** Judges, and gives what to do once it is on disk. */
  judge(isBusy: (id: string) => boolean): Step<Tell>
}

/** Gives a result to its caller. */
type Tell = () => void

const turns: readonly Turn[] = ['copy', 'call', 'sweep']
const maxCalls = 512

export function writeLane(log: Log, lock: Pick<FolderLock, 'assertHeld'>, onWritten: () => void): Lane {
  const batches = batcher<Job, Tell>({ name: 'file', flush, isDataError: () => false, maxCalls })

  function run<T>(key: string, call: Call, judge: Judge<T>, turn: Turn = 'call'): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const job: Job = {
        key,
        turn,
        judge(isBusy) {
          const step = judge(isBusy)
          return {
            ...step,
            apply(places) {
              const result = step.apply(places)
              return () => resolve(result)
            },
          }
        },
      }
      batches.run(key, job, call).then((tell) => tell(), reject)
    })
  }

  async function flush(jobs: readonly Job[]): Promise<readonly BatchOutcome<Tell>[]> {
    const outcomes = new Map<Job, BatchOutcome<Tell>>()
    const keys = new Set(jobs.map(({ key }) => key))
    const writing: Writing[] = []
    for (const job of turns.flatMap((turn) => jobs.filter((each) => each.turn === turn))) {
      try {
        const step = job.judge((id) => keys.has(id))
        await step.action?.()
        if (step.frames.length === 0) outcomes.set(job, { value: step.apply([]) })
        else writing.push({ job, step })
      } catch (error) {
        outcomes.set(job, { error })
      }
    }
    await write(writing, outcomes)
    return jobs.map((job) => outcomes.get(job) ?? { error: undefined })
  }

  /** Full disk: what makes room is written alone. */
  async function write(writing: readonly Writing[], outcomes: Map<Job, BatchOutcome<Tell>>): Promise<void> {
    if (writing.length === 0) return
    const makeRoom = writing.filter(({ step }) => step.makesRoom)
    try {
      await writeTogether(writing, outcomes, makeRoom.length === writing.length)
    } catch (error) {
      const isRefused = SessionError.is(error, 'MCP_SESSION_LIMIT') && makeRoom.length < writing.length
      for (const { job } of writing) outcomes.set(job, { error })
      if (isRefused) await write(makeRoom, outcomes)
    }
  }

  async function writeTogether(writing: readonly Writing[], outcomes: Map<Job, BatchOutcome<Tell>>, makeRoom: boolean): Promise<void> {
    lock.assertHeld()
    let place = await log.append(
      writing.flatMap(({ step }) => step.frames),
      makeRoom,
    )
    assertStillHeld()
    for (const { job, step } of writing) {
      const places = step.frames.map((frame) => {
        place += frame.length
        return place - frame.length
      })
      outcomes.set(job, { value: step.apply(places) })
    }
    onWritten()
  }

  /** Another opener may have read the folder before these frames were in it. */
  function assertStillHeld(): void {
    try {
      lock.assertHeld()
    } catch (cause) {
      const message = cause instanceof Error ? cause.message : 'The lock of the folder is lost'
      throw new SessionError('MCP_SESSION_LOCKED', message, { outcome: 'unknown', cause })
    }
  }

  return { run, drain: batches.drain }
}

interface Writing {
  readonly job: Job
  readonly step: Step<Tell>
}
