import { setImmediate as nextTurn } from 'node:timers/promises'
import type { SessionBackend } from '@mcp-session/core/backend'
import { createSessionHandler } from '@mcp-session/http'
import type { Harness, Outcome, Trial } from './harness.ts'
import { seededRandom } from './random.ts'
import { Broken } from './replay-client.ts'
import { playHistory, whole } from './replay-history.ts'
import { newStage } from './replay-server.ts'
import { openReplaySession, type ReplaySession, type ReplaySessionOptions } from './replay-session.ts'
import { startStore } from './running-store.ts'
import { backendOf } from './store-place.ts'

/** Histories that run at the same time, each in sessions of its own. */
const laneCount = 20
const sessionsPerLane = 50
/** Histories that a session takes part in before another takes its place: its log is long by then. */
const histories = 12

/** `alter` lets a test plant a bug between the store and the engine. */
export function replay(alter: (backend: SessionBackend) => SessionBackend = (backend) => backend): Harness {
  return {
    name: 'replay',
    about: `random histories of ${laneCount * sessionsPerLane} sessions in one store: a resume gives the later messages of its stream, in order, and nothing else`,
    backends: ['memory', 'sqlite', 'redis', 'postgres'],
    variants: ['v1+v2'],
    tries: 100_000,
    async run(trial) {
      await using store = await startStore(trial.backend)
      return await runOn(alter(backendOf(store.place)), trial)
    },
  }
}

async function runOn(backend: SessionBackend, trial: Trial): Promise<Outcome> {
  const stage = newStage()
  const endless = Number.POSITIVE_INFINITY
  const handler = await createSessionHandler({
    backend,
    principal: 'anonymous',
    server: stage.factory,
    // A call becomes a stream with its first message, not after a while: the course must not depend on the clock.
    jsonWaitMs: 2 ** 31 - 1,
    events: { maxAgeMs: endless, maxBytes: endless, maxEvents: endless },
    liveSessions: 2 * laneCount * sessionsPerLane,
    // On a slow disk minutes pass between two histories of a session, and its server is spoken to directly.
    liveIdleMs: 2 ** 31 - 1,
    pollIntervalMs: 30_000,
    keepAliveMs: 600_000,
    drainMs: 0,
    onError: (error) => trial.bad(`the handler reports ${error instanceof Error ? error.message : error}`),
  })
  const played = { histories: 0 }
  try {
    const given = { send: handler.fetch, stage }
    await Promise.all(Array.from({ length: laneCount }, (_, lane) => runLane(trial, lane, given, played)))
    return { tried: played.histories, measured: { sessions: laneCount * sessionsPerLane } }
  } finally {
    await handler.close()
  }
}

/** Every lane's course follows from the seed and its number, however the lanes get into each other's way. */
async function runLane(
  trial: Trial,
  lane: number,
  given: Omit<ReplaySessionOptions, 'name'>,
  played: { histories: number },
): Promise<void> {
  const random = seededRandom(trial.seed * laneCount + lane)
  const places = Array.from({ length: sessionsPerLane }, (_, place) => newPlace(given, `${lane}-${place}`))
  for (let history = lane; history < trial.tries && !trial.isOver(); history += laneCount) {
    const chosen = new Set(Array.from({ length: 1 + whole(random, 3) }, () => places[whole(random, places.length)]))
    const taken = [...chosen].filter((place) => place !== undefined)
    try {
      await playHistory(await Promise.all(taken.map((place) => place.take())), random)
    } catch (error) {
      if (!(error instanceof Broken)) throw error
      trial.bad(`history ${history} (lane ${lane}): ${error.message}`)
      // What was sent is not certain any more.
      for (const place of taken) place.leave()
    }
    // On memory nothing else lets the event loop turn: timers and what waits for the collector would wait for the end.
    await nextTurn()
    played.histories += 1
    trial.progress(played.histories)
  }
}

/** Where one of the sessions is. */
interface Place {
  /** Its session for one more history: after enough of them the session is deleted, and a new one takes the place. */
  take(): Promise<ReplaySession>
  /** The next history gets a new session. */
  leave(): void
}

function newPlace(given: Omit<ReplaySessionOptions, 'name'>, name: string): Place {
  let session: ReplaySession | undefined
  let generation = 0
  let count = 0
  return {
    async take() {
      if (count === histories) {
        await session?.close()
        session = undefined
      }
      if (session === undefined) {
        generation += 1
        count = 0
        session = await openReplaySession({ ...given, name: `${name}-${generation}` })
      }
      count += 1
      return session
    },
    leave() {
      session = undefined
    },
  }
}
