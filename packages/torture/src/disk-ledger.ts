import type { SessionBackend } from '@mcp-session/core/backend'
import { type DiskState, isSameState, readState } from './disk-states.ts'

/** What the writers told: the state of each session that was acknowledged last, and the one that was under way. */
export interface DiskLedger {
  readonly acknowledged: number
  /** Whether the last writer told that it had opened the store, and that all its steps were done. */
  readonly opened: boolean
  readonly finished: boolean
  /** A process begins. */
  begin(): void
  /** All that a process had told. Its last line may be cut short: then it was not told. */
  hear(told: string): void
  /** Compares an open store with it, and takes what the store has for acknowledged. Gives what is wrong, a sentence each. */
  judge(backend: SessionBackend): Promise<readonly string[]>
}

interface Expected {
  acknowledged: DiskState
  /** Absent: nothing is under way. */
  next?: DiskState
}

type Line = { begins?: string; next?: DiskState; done?: string | true; opened?: number }

export function diskLedger(ids: readonly string[]): DiskLedger {
  const expected = new Map<string, Expected>(ids.map((id) => [id, { acknowledged: null }]))
  let acknowledged = 0
  let opened = false
  let finished = false

  function take({ begins, next, done, opened: number }: Line): void {
    if (number !== undefined) opened = true
    if (done === true) finished = true
    if (begins !== undefined) entry(begins).next = next ?? null
    if (typeof done === 'string') {
      const of = entry(done)
      if (of.next === undefined) throw new Error(`${done}: a write ended that had not begun`)
      expected.set(done, { acknowledged: of.next })
      acknowledged += 1
    }
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
      const wrong: string[] = []
      for (const [id, { acknowledged, next }] of expected) {
        try {
          const found = await readState(backend, id)
          const isRight = isSameState(found, acknowledged) || (next !== undefined && isSameState(found, next))
          if (!isRight) {
            const also = next === undefined ? '' : `, and ${JSON.stringify(next)} was under way`
            wrong.push(`${id} is ${JSON.stringify(found)}; acknowledged was ${JSON.stringify(acknowledged)}${also}`)
          }
          expected.set(id, { acknowledged: found })
        } catch (error) {
          wrong.push(`${id}: reading fails with ${error}`)
        }
      }
      return wrong
    },
  }
}
