import type { SessionBackend } from '@mcp-session/core/backend'
import { type DiskState, isSameState, readState } from './disk-states.ts'

/** What the writers told: the state of each session that was acknowledged last, and what it may be instead. */
export interface DiskLedger {
  readonly acknowledged: number
  /** Whether the last writer told that it had opened the store, and that all its steps were done. */
  readonly opened: boolean
  readonly finished: boolean
  /** A process begins. */
  begin(): void
  /** All that a process had told. Its last line may be cut short: then it was not told. */
  hear(told: string): void
  /** Compares an open store with it, and takes what the store has for acknowledged. Gives what is wrong, a sentence each, there and in what was told. */
  judge(backend: SessionBackend): Promise<readonly string[]>
}

interface Expected {
  acknowledged: DiskState
  /** What it may be instead: by the write that is under way, and by those of which nobody knows what became of them. */
  maybe: DiskState[]
}

interface Line {
  readonly begins?: string
  readonly next?: DiskState
  readonly done?: string | true
  readonly opened?: number
  readonly failed?: string
  readonly outcome?: 'none' | 'unknown'
  readonly saw?: string
  readonly state?: DiskState
}

export function diskLedger(ids: readonly string[]): DiskLedger {
  const expected = new Map<string, Expected>(ids.map((id) => [id, { acknowledged: null, maybe: [] }]))
  let acknowledged = 0
  let opened = false
  let finished = false
  let wrong: string[] = []

  function take({ begins, next, done, opened: number, failed, outcome, saw, state }: Line): void {
    if (number !== undefined) opened = true
    if (done === true) finished = true
    if (begins !== undefined) entry(begins).maybe.push(next ?? null)
    if (typeof done === 'string') {
      const written = entry(done).maybe.at(-1)
      if (written === undefined) throw new Error(`${done}: a write ended that had not begun`)
      expected.set(done, { acknowledged: written, maybe: [] })
      acknowledged += 1
    }
    if (failed !== undefined && outcome === 'none') entry(failed).maybe.pop()
    if (saw !== undefined) compare(saw, state ?? null)
  }

  function compare(id: string, found: DiskState): void {
    const { acknowledged, maybe } = entry(id)
    if ([acknowledged, ...maybe].some((state) => isSameState(found, state))) return
    const also = maybe.length === 0 ? '' : `, and ${maybe.map((state) => JSON.stringify(state)).join(' or ')} was under way`
    wrong.push(`${id} is ${JSON.stringify(found)}; acknowledged was ${JSON.stringify(acknowledged)}${also}`)
  }

  function entry(id: string): Expected {
    const found = expected.get(id)
    if (found === undefined) throw new Error(`a writer tells of ${id}, which is not its own`)
    return found
  }

  return {
    get acknowledged() {
      return acknowledged
    },
    get opened() {
      return opened
    },
    get finished() {
      return finished
    },
    begin() {
      opened = false
      finished = false
    },
    hear(told) {
      for (const line of told.split('\n').slice(0, -1)) take(JSON.parse(line))
    },
    async judge(backend) {
      for (const id of expected.keys()) {
        try {
          const found = await readState(backend, id)
          compare(id, found)
          expected.set(id, { acknowledged: found, maybe: [] })
        } catch (error) {
          wrong.push(`${id}: reading fails with ${error}`)
        }
      }
      const all = wrong
      wrong = []
      return all
    },
  }
}
