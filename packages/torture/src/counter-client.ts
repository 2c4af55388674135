import { parseArgs } from 'node:util'
import { openSessions, SessionError } from '@mcp-session/core'
import { answerRequests } from './client-requests.ts'
import { plantCounterBug } from './counter-plants.ts'
import { backendOf } from './store-place.ts'

// A process of the harness `counter`: it adds to one session.

/** What the session holds: how often was added, and by whom. */
export type CounterState = { readonly total: number; readonly by: Readonly<Record<string, number>> }

export interface CountRequest {
  readonly times: number
}

export interface Counted {
  readonly done: number
  /** Additions whose outcome is unknown. */
  readonly unknown: number
  /** How often an addition was refused, because others were in its way until its deadline; it was begun again. */
  readonly refused: number
  /** Races lost, since the process began. */
  readonly conflicts: number
  /** Any other failure, in words. */
  readonly failures: readonly string[]
}

const text = { type: 'string' } as const
const { values } = parseArgs({ options: { store: text, id: text, name: text, plant: text } })
const { store = '', id = '', name = '' } = values
const sessions = await openSessions<CounterState>({ backend: backendOf(store), cleanupIntervalMs: 0 })
const update = plantCounterBug(values.plant, sessions)

answerRequests(async ({ times }: CountRequest): Promise<Counted & { name: string }> => {
  let done = 0
  let unknown = 0
  let refused = 0
  const failures: string[] = []
  while (done + unknown + failures.length < times) {
    try {
      const session = await update(id, plusOne)
      if (session === undefined) throw new Error('the session was not found')
      done += 1
    } catch (error) {
      if (SessionError.is(error) && error.outcome === 'unknown') unknown += 1
      else if (SessionError.is(error) && error.retryable) refused += 1
      else failures.push(String(error))
    }
  }
  return { name, done, unknown, refused, conflicts: sessions.metrics().conflicts, failures }
})

function plusOne({ total, by }: CounterState): CounterState {
  return { total: total + 1, by: { ...by, [name]: (by[name] ?? 0) + 1 } }
}
