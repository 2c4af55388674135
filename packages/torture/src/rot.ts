import { isDeepStrictEqual } from 'node:util'
import { openSessions, type Session, SessionError, type Sessions } from '@mcp-session/core'
import type { EventPage, StoredEvent } from '@mcp-session/core/backend'
import type { Harness, Outcome, Trial } from './harness.ts'
import { plantBug } from './planted-backend.ts'
import { whole } from './replay-history.ts'
import { rotBugs } from './rot-plants.ts'
import { rotSiteOf } from './rot-site.ts'
import { sharedBackends, startStore } from './running-store.ts'
import { backendOf } from './store-place.ts'

/** What is stored changes underneath. `plant`: a bug for the harness to find, see `rot-plants.ts`. */
export function rot(plant?: string): Harness {
  return {
    name: 'rot',
    about: [
      'Every bit of every column, value, member and score of two stored sessions and their events is turned over, and every column exchanged with the',
      'other session’s, one at a time: reading gives what was stored, nothing, or CORRUPT. Tries are changes.',
    ].join('\n  '),
    backends: sharedBackends,
    variants: ['everything'],
    tries: 20_000,
    async run(trial) {
      await using store = await startStore(trial.backend, { durable: false })
      const backend = plantBug(plant, rotBugs, backendOf(store.place))
      const seen: SessionError[] = []
      await using sessions = await openSessions({
        backend,
        cleanupIntervalMs: 0,
        touchIntervalMs: Number.POSITIVE_INFINITY,
        cacheBytes: 0,
        onError: (error) => (SessionError.is(error, 'MCP_SESSION_CORRUPT') ? seen.push(error) : trial.bad(`in the background: ${error}`)),
      })
      const kept = [await keep(sessions, 'alice'), await keep(sessions, 'bob')]
      await using site = await rotSiteOf(store)
      return await changeAll(trial, sessions, kept, shuffled(await site.changes(), trial.random))
    },
  }
}

/** What was stored. */
interface Kept {
  readonly session: Session
  readonly events: readonly StoredEvent[]
}

const unbounded = { maxEvents: 1_000, maxAgeMs: 3_600_000_000, maxBytes: 2 ** 30 }
const all = { after: 0, limit: 100, maxAgeMs: Number.POSITIVE_INFINITY }

async function keep(sessions: Sessions, owner: string): Promise<Kept> {
  const { id } = await sessions.create({}, { owner, ttlMs: 3_600_000_000, context: { protocol: '2025-11-25' } })
  await sessions.update(id, () => ({ account: owner, balance: 100, roles: ['reader'] }))
  for (const [n, stream] of ['news', 'call-1', '!inbox', 'news'].entries()) {
    await sessions.events?.append(id, { key: `${owner}.${n}`, stream, data: `{"of":"${owner}","n":${n}}` }, unbounded)
  }
  const session = await sessions.retrieve(id)
  const page = await sessions.events?.read(id, all)
  if (session === undefined || page === undefined) throw new Error('what was stored is not there')
  return { session, events: page.events }
}

type Changes = Awaited<ReturnType<Awaited<ReturnType<typeof rotSiteOf>>['changes']>>

async function changeAll(trial: Trial, sessions: Sessions, kept: readonly Kept[], changes: Changes): Promise<Outcome> {
  const figures = { refused: 0, corrupt: 0, missing: 0, unharmed: 0, misplaced: 0 }
  let tried = 0
  for (const change of changes) {
    if (tried >= trial.tries || trial.isOver()) break
    const isMade = await change.make()
    if (isMade) {
      tried += 1
      const found = await look(sessions, kept)
      for (const what of found.wrong) trial.bad(`${change.what}: ${what}`)
      figures[found.worst] += 1
      if (tried % 50 === 0) trial.progress(tried)
    } else figures.refused += 1
    await change.undo()
  }
  const { wrong, worst } = await look(sessions, kept)
  if (wrong.length > 0 || worst !== 'unharmed') trial.bad(`the harness did not put back what it changed: ${wrong.join(', ') || worst}`)
  return { tried, measured: { ...figures, changes: changes.length } }
}

interface Look {
  readonly wrong: readonly string[]
  /** `misplaced`: an event is what was stored, under another number or instant, which no backend has a checksum over. */
  readonly worst: 'misplaced' | 'corrupt' | 'missing' | 'unharmed'
}

/** Reads everything in every way. */
async function look(sessions: Sessions, kept: readonly Kept[]): Promise<Look> {
  const wrong: string[] = []
  let corrupt = 0
  let missing = 0
  let misplaced = 0

  async function read<T>(what: string, run: () => Promise<T | undefined>, judge: (value: T) => void): Promise<void> {
    try {
      const value = await run()
      if (value === undefined) missing += 1
      else judge(value)
    } catch (error) {
      if (SessionError.is(error, 'MCP_SESSION_CORRUPT')) corrupt += 1
      else wrong.push(`${what} fails with ${error}`)
    }
  }

  function isRight(what: string, session: Session): void {
    const stored = kept.find(({ session: { id } }) => id === session.id)
    if (!isDeepStrictEqual(session, stored?.session)) wrong.push(`${what} gives ${JSON.stringify(session)}`)
  }

  function areRight(what: string, page: EventPage, stored: readonly StoredEvent[]): void {
    for (const event of page.events) {
      const { key, stream, data, ...place } = event
      const one = stored.find((candidate) => candidate.key === key)
      if (one?.stream !== stream || one.data !== data) wrong.push(`${what} gives ${JSON.stringify(event)}`)
      else if (place.sequence !== one.sequence || place.createdAt !== one.createdAt) misplaced += 1
    }
    if (page.events.length < stored.length) missing += 1
  }

  for (const { session, events } of kept) {
    const { id, owner } = session
    await read(
      'retrieve',
      () => sessions.retrieve(id),
      (found) => isRight('retrieve', found),
    )
    if (owner !== null)
      await read(
        'retrieve of its owner',
        () => sessions.retrieve(id, { owner }),
        (found) => isRight('retrieve of its owner', found),
      )
    await read(
      'read',
      async () => sessions.events?.read(id, all),
      (page) => areRight('read', page, events),
    )
  }
  const missed = missing
  for (const { session } of kept) {
    await read(
      'retrieve of a stranger',
      () => sessions.retrieve(session.id, { owner: 'mallory' }),
      () => wrong.push('a stranger gets it'),
    )
  }
  missing = missed
  await read(
    'list',
    () => sessions.list({ limit: 10 }),
    (page) => {
      for (const one of page.sessions) if ('metadata' in one) isRight('list', one)
    },
  )
  return { wrong, worst: misplaced > 0 ? 'misplaced' : corrupt > 0 ? 'corrupt' : missing > 0 ? 'missing' : 'unharmed' }
}

function shuffled<T>(items: readonly T[], random: () => number): readonly T[] {
  const shuffling = [...items]
  for (let last = shuffling.length - 1; last > 0; last -= 1) {
    const other = whole(random, last + 1)
    const [one, two] = [shuffling[last], shuffling[other]]
    if (one === undefined || two === undefined) continue
    shuffling[last] = two
    shuffling[other] = one
  }
  return shuffling
}
