import { setImmediate as nextTurn } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { openSessions, SessionError } from '@mcp-session/core'
import { answerRequests, hostClock } from './client-requests.ts'
import { deletefinalBugs } from './deletefinal-plants.ts'
import { plantBug } from './planted-backend.ts'
import { seededRandom } from './random.ts'
import { whole } from './replay-history.ts'
import { backendOf } from './store-place.ts'

// A process of the harness `deletefinal`: it uses sessions, and ends some of them.

export interface RaceRequest {
  readonly ids: readonly string[]
  /** How many of the ends of each session this process makes. */
  readonly roles: readonly number[]
  readonly seed: number
}

/** What one process saw of one session. Times on the clock of the host, in milliseconds. */
export interface Fate {
  /** When the first of its ends had resolved, whether it was there or not. */
  readonly endedAt?: number
  /** Ends that were told that it was there. */
  readonly had: number
  /** Ends whose outcome is unknown. */
  readonly unknownEnds: number
  /** The last started of the calls that found it. */
  readonly found?: { readonly method: string; readonly startedAt: number }
  readonly calls: number
  /** Calls that failed with nothing written, or an unknown outcome. */
  readonly refused: number
  readonly failures: readonly string[]
}

/** Uses of a session by one process, if nothing ends it before. */
const mostUses = 40
/** What is tried after it was not found any more. */
const usesAfter = 6

const text = { type: 'string' } as const
const { values } = parseArgs({ options: { store: text, plant: text } })
const { store = '' } = values
const backend = plantBug(values.plant, deletefinalBugs, backendOf(store))
const sessions = await openSessions({ backend, cleanupIntervalMs: 0, touchIntervalMs: 1 })
const retention = { maxEvents: 1_000, maxAgeMs: 3_600_000, maxBytes: 1_048_576 }
let made = 0

answerRequests(({ ids, roles, seed }: RaceRequest): Promise<readonly Fate[]> => {
  return Promise.all(ids.map((id, index) => race(id, roles[index] ?? 0, seededRandom(seed + index))))
})

async function race(id: string, ends: number, random: () => number): Promise<Fate> {
  const fate: { -readonly [K in keyof Fate]: Fate[K] } & { failures: string[] } = {
    had: 0,
    unknownEnds: 0,
    calls: 0,
    refused: 0,
    failures: [],
  }

  async function use(): Promise<boolean> {
    const [method, run] = uses[whole(random, uses.length)] ?? uses[0]
    const startedAt = hostClock()
    const found = await tried(() => run(id, random))
    if (found === true && startedAt > (fate.found?.startedAt ?? 0)) fate.found = { method, startedAt }
    return found !== false
  }

  async function end(): Promise<void> {
    // Some turns of the loop and some uses of others later.
    for (let turns = whole(random, 30); turns > 0; turns -= 1) await nextTurn()
    for (let count = whole(random, 8); count > 0; count -= 1) await use()
    const run = whole(random, 2) === 0 ? () => sessions.delete(id) : async () => (await sessions.consume(id)) !== undefined
    const had = await tried(run, () => {
      fate.unknownEnds += 1
    })
    if (had === undefined) return
    fate.endedAt = Math.min(fate.endedAt ?? Number.POSITIVE_INFINITY, hostClock())
    if (had) fate.had += 1
  }

  /** `undefined`: it failed as calls may fail. */
  async function tried(run: () => Promise<boolean>, onUnknown?: () => void): Promise<boolean | undefined> {
    fate.calls += 1
    try {
      return await run()
    } catch (error) {
      if (!SessionError.is(error) || (!error.retryable && error.outcome === 'none')) fate.failures.push(String(error))
      else if (error.outcome === 'unknown') onUnknown?.()
      fate.refused += 1
      return undefined
    }
  }

  async function keepUsing(): Promise<void> {
    let after = usesAfter
    for (let count = 0; count < mostUses && after > 0; count += 1) {
      if (!(await use())) after -= 1
      if (whole(random, 4) === 0) await nextTurn()
    }
  }

  await Promise.all([keepUsing(), keepUsing(), ...Array.from({ length: ends }, end)])
  return fate
}

type Use = readonly [string, (id: string, random: () => number) => Promise<boolean>]

const uses: readonly [Use, ...Use[]] = [
  ['update', async (id) => (await sessions.update(id, ({ n }) => ({ n: Number(n) + 1 }))) !== undefined],
  ['touch', (id) => sessions.touch(id)],
  ['setTtl', (id, random) => sessions.setTtl(id, 3_600_000 + whole(random, 1_000))],
  ['append', (id) => append(id)],
  ['retrieve', async (id) => (await sessions.retrieve(id)) !== undefined],
]

async function append(id: string): Promise<boolean> {
  made += 1
  const event = { key: `${process.pid}.${made}`, stream: made % 3 === 0 ? '!inbox' : 'news', data: 'late' }
  return (await sessions.events?.append(id, event, retention)) !== undefined
}
