import { setTimeout as after, setImmediate as nextTurn } from 'node:timers/promises'
import { SessionError, type Sessions } from '@mcp-session/core'
import type { Call } from '@mcp-session/core/backend'
import type { Outcome, Trial } from './harness.ts'
import { seededRandom } from './random.ts'
import { whole } from './replay-history.ts'

const lanes = 64
const sessionCount = 48

/** One session, and what its callers were told of it. */
interface Subject {
  readonly id: string
  /** Additions that were acknowledged. */
  done: number
  /** Additions whose callers do not know: the abort came while they were on their way. */
  unknown: number
  /** Acknowledged and possible appends. */
  appended: number
  maybeAppended: number
}

interface Figures {
  tried: number
  aborted: number
  refused: number
}

/** Calls in many lanes, each with a signal that may abort; what they answer is held against what they asked for. */
export async function abortedCalls(sessions: Sessions, trial: Trial): Promise<Outcome> {
  const figures: Figures = { tried: 0, aborted: 0, refused: 0 }
  const subjects: Subject[] = []
  for (let number = 0; number < sessionCount; number += 1) {
    const id = `s_abort-${number}`
    await sessions.create({ id, n: 0 }, { id, ttlMs: 3_600_000 })
    subjects.push({ id, done: 0, unknown: 0, appended: 0, maybeAppended: 0 })
  }
  await Promise.all(Array.from({ length: lanes }, (_, lane) => runLane(sessions, trial, lane, subjects, figures)))
  for (const subject of subjects) await settle(sessions, subject, trial)
  return { tried: figures.tried, measured: { aborted: figures.aborted, refused: figures.refused } }
}

async function runLane(sessions: Sessions, trial: Trial, lane: number, subjects: readonly Subject[], figures: Figures): Promise<void> {
  const random = seededRandom(trial.seed * lanes + lane)
  for (let call = lane; call < trial.tries && !trial.isOver(); call += lanes) {
    const subject = subjects[whole(random, subjects.length)]
    const use = uses[whole(random, uses.length)]
    if (subject === undefined || use === undefined) throw new RangeError('There is nothing to call')
    await abortable(sessions, subject, use, random, trial, figures)
    figures.tried += 1
    if (figures.tried % 1_000 === 0) trial.progress(figures.tried)
    // On memory nothing else lets the event loop turn.
    if (whole(random, 8) === 0) await nextTurn()
  }
}

async function abortable(
  sessions: Sessions,
  subject: Subject,
  use: Use,
  random: () => number,
  trial: Trial,
  figures: Figures,
): Promise<void> {
  const controller = new AbortController()
  const reason = new Error(`abort of ${use.name} on ${subject.id}`)
  const when = moments[whole(random, moments.length)] ?? 'never'
  if (when === 'before') controller.abort(reason)
  const running = use.run(sessions, subject.id, controller.signal)
  const aborting = abortLater(controller, reason, when, random)
  try {
    const wrong = (await running).wrong
    if (wrong !== undefined) trial.bad(`${use.name} on ${subject.id} answered with ${wrong}`)
    if (when === 'before') trial.bad(`${use.name} on ${subject.id} went through, though it was aborted before`)
    use.count(subject, 'done')
  } catch (error) {
    if (error === reason) figures.aborted += 1
    else if (isRetryable(sessions, error)) figures.refused += 1
    else trial.bad(`${use.name} on ${subject.id} (aborted ${when}) rejects with ${error}`)
    if (when !== 'before') use.count(subject, 'unknown')
  }
  await aborting
}

function isRetryable(sessions: Sessions, error: unknown): boolean {
  const known = SessionError.is(error) ? error : sessions.getBackend().classify(error)
  return known?.retryable === true
}

const moments = ['before', 'at once', 'microtask', 'turn', 'later', 'never'] as const

async function abortLater(controller: AbortController, reason: Error, when: (typeof moments)[number], random: () => number): Promise<void> {
  if (when === 'never' || when === 'before') return
  if (when === 'microtask') for (let count = whole(random, 6); count > 0; count -= 1) await undefined
  if (when === 'turn') await nextTurn()
  if (when === 'later') await after(whole(random, 4))
  controller.abort(reason)
}

interface Use {
  readonly name: string
  /** `wrong`: what it answered that no call on that session may answer. */
  run(sessions: Sessions, id: string, signal: AbortSignal): Promise<{ readonly wrong: string | undefined }>
  count(subject: Subject, what: 'done' | 'unknown'): void
}

const uses: readonly Use[] = [
  {
    name: 'retrieve',
    run: async (sessions, id, signal) => ofSession(id, await sessions.retrieve(id, { signal })),
    count() {},
  },
  {
    name: 'update',
    run: async (sessions, id, signal) =>
      ofSession(id, await sessions.update(id, (metadata) => ({ ...metadata, n: Number(metadata['n']) + 1 }), { signal })),
    count(subject, what) {
      subject[what] += 1
    },
  },
  {
    name: 'append',
    async run(sessions, id, signal) {
      const event = { key: `k${Math.random()}`, stream: 'news', data: id }
      const sequence = await sessions.events?.append(id, event, unbounded, { signal })
      return { wrong: sequence === undefined ? 'no sequence' : undefined }
    },
    count(subject, what) {
      if (what === 'done') subject.appended += 1
      else subject.maybeAppended += 1
    },
  },
  {
    name: 'read',
    async run(sessions, id, signal) {
      const page = await sessions.events?.read(id, { after: 0, limit: 4, maxAgeMs: 3_600_000 }, { signal })
      return { wrong: page === undefined ? 'no page' : page.events.find(({ data }) => data !== id)?.data }
    },
    count() {},
  },
  {
    name: 'touch',
    run: async (sessions, id, signal) => ({ wrong: (await sessions.touch(id, { signal })) ? undefined : 'not found' }),
    count() {},
  },
  // Below the store, which settles an aborted call by itself: what the backend makes of the signal.
  {
    name: 'get',
    async run(sessions, id, signal) {
      const record = await sessions.getBackend().get(id, callNow(signal))
      return { wrong: record?.id === id ? undefined : `${record?.id}` }
    },
    count() {},
  },
  {
    name: 'touch of the backend',
    async run(sessions, id, signal) {
      const touch = { id, rev: 'another', lastAccessedAt: Date.now(), expiresAt: Date.now() + 1 }
      const answer = await sessions.getBackend().touch(touch, callNow(signal))
      return { wrong: answer === 'moved' ? undefined : answer }
    },
    count() {},
  },
  {
    name: 'retrieve of nothing',
    run: async (sessions, id, signal) => ({ wrong: (await sessions.retrieve(`${id}-none`, { signal }))?.id }),
    count() {},
  },
]

const unbounded = { maxEvents: 1_000_000, maxAgeMs: 3_600_000, maxBytes: 2 ** 30 }

function callNow(signal: AbortSignal): Call {
  return { now: Date.now(), deadlineAt: performance.now() + 5_000, signal }
}

function ofSession(id: string, session: { readonly id: string; readonly metadata: Record<string, unknown> } | undefined) {
  if (session === undefined) return { wrong: 'nothing' }
  return { wrong: session.id === id && session.metadata['id'] === id ? undefined : `${session.id} with ${session.metadata['id']}` }
}

/** All calls are through: the session has what was acknowledged, and at most what else may have happened. */
async function settle(sessions: Sessions, { id, done, unknown, appended, maybeAppended }: Subject, trial: Trial): Promise<void> {
  const n = Number((await sessions.retrieve(id))?.metadata['n'])
  if (!(n >= done && n <= done + unknown)) trial.bad(`${id}: ${done} additions were acknowledged and ${unknown} are unknown; it has ${n}`)
  const last = (await sessions.events?.read(id, { after: 0, limit: 1, maxAgeMs: 3_600_000 }))?.last ?? -1
  if (last < appended || last > appended + maybeAppended) {
    trial.bad(`${id}: ${appended} appends were acknowledged and ${maybeAppended} are unknown; the last has number ${last}`)
  }
}
