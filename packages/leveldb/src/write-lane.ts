import { type BatchOutcome, batcher, type Call, SessionError } from '@mcp-session/core/backend'
import type { Engine } from './engine.ts'
import type { Place } from './place.ts'
import { type StagedWrites, stagedWrites } from './staged-writes.ts'

/** The write lane: steps that are pending together share one batch, one sync of the disk. There is no other writer. */
export interface WriteLane {
  /** Runs a step on what will be stored, and gives its result once that is. `bytes`: how much the step may write, about. */
  run<T>(call: Call, bytes: number, step: (staged: StagedWrites) => Promise<T>): Promise<T>
  /** Resolves once nothing is queued or in flight. */
  drain(): Promise<void>
}

/** Gives a step's result to its caller, after the batch. */
type Tell = () => void

interface Job {
  readonly bytes: number
  step(staged: StagedWrites): Promise<Tell>
}

export function writeLane(engine: Engine, place: Place): WriteLane {
  const batches = batcher<Job, Tell>({ name: 'leveldb', flush, isDataError: () => false, bytesOf: (job) => job.bytes })

  async function run<T>(call: Call, bytes: number, step: (staged: StagedWrites) => Promise<T>): Promise<T> {
    let result: { readonly value: T } | undefined
    const job: Job = {
      bytes,
      async step(staged) {
        const value = await step(staged)
        return () => {
          result = { value }
        }
      },
    }
    // The steps of a flush run one after the other, each on what the ones before have staged: calls of one id can share it.
    const tell = await batches.run(undefined, job, call)
    tell()
    if (result === undefined) throw new Error('The step of leveldb was not told')
    return result.value
  }

  async function flush(jobs: readonly Job[]): Promise<readonly BatchOutcome<Tell>[]> {
    const database = await engine.writable()
    const staged = stagedWrites(database, engine.cache)
    const outcomes: BatchOutcome<Tell>[] = []
    for (const job of jobs) outcomes.push(await outcome(job, staged))
    place.assertHeld()
    await engine.write(database, staged.batch())
    assertStillHeld(place)
    return outcomes
  }

  return { run, drain: batches.drain }
}

/** A step that fails while it looks has staged nothing: its failure is its own caller's only. */
async function outcome(job: Job, staged: StagedWrites): Promise<BatchOutcome<Tell>> {
  try {
    return { value: await staged.attempt((shared) => job.step(shared)) }
  } catch (error) {
    return { error }
  }
}

function assertStillHeld(place: Place): void {
  try {
    place.assertHeld()
  } catch (error) {
    if (!SessionError.is(error)) throw error
    throw new SessionError(error.code, error.message, { outcome: 'unknown', cause: error })
  }
}
