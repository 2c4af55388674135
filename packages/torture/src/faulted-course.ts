import { type SessionBackend, SessionError } from '@mcp-session/core/backend'
import { type DiskState, readState } from './disk-states.ts'
import { diskStep } from './disk-steps.ts'
import { seededRandom } from './random.ts'

/** What a course tells as it goes, beside what `disk-ledger.ts` knows. */
export type CourseLine =
  | { readonly begins: string; readonly next: DiskState }
  | { readonly done: string }
  | ({ readonly failed: string } & Refusal)
  | { readonly saw: string; readonly state: DiskState }
  | ({ readonly unread: string } & Refusal)

/** `code`: absent where the error has no class. */
export interface Refusal {
  readonly code?: string | undefined
  readonly outcome?: 'none' | 'unknown' | undefined
  readonly says: string
}

export interface FaultedCourse {
  readonly ids: readonly string[]
  /** Of each session. */
  readonly steps: number
  readonly seed: number
  /** Part of each rev: never the same twice on a store. */
  readonly name: string
}

/** Writes to all sessions at once. After a step that fails it looks what the session is now, and goes on. */
export async function runFaulted(
  backend: SessionBackend,
  { ids, steps, seed, name }: FaultedCourse,
  tell: (line: CourseLine) => void,
): Promise<void> {
  await Promise.all(ids.map(runLane))

  async function runLane(id: string, lane: number): Promise<void> {
    const random = seededRandom(seed + lane)
    let now: DiskState | undefined
    for (let n = 0; n < steps; n += 1) {
      if (now === undefined) now = await look(id)
      if (now === undefined) continue
      const step = diskStep(id, now, `${name}.${lane}.${n}`, random)
      tell({ begins: id, next: step.next })
      try {
        await step.run(backend)
        tell({ done: id })
        now = step.next
      } catch (error) {
        tell({ failed: id, ...refusalOf(backend, error) })
        now = undefined
      }
    }
  }

  async function look(id: string): Promise<DiskState | undefined> {
    try {
      const state = await readState(backend, id)
      tell({ saw: id, state })
      return state
    } catch (error) {
      tell({ unread: id, ...refusalOf(backend, error) })
      return undefined
    }
  }
}

export function refusalOf(backend: SessionBackend, error: unknown): Refusal {
  const known = SessionError.is(error) ? error : backend.classify(error)
  return { code: known?.code, outcome: known?.outcome, says: String(error).slice(0, 300) }
}
