import type { SessionBackend, SessionRecord } from '@mcp-session/core/backend'
import { contentOfRev, diskCall, eventOf, keptEvents } from './disk-states.ts'

/** Sessions on a store, and all that is known of them. Nobody else writes there. */
export interface SoakSessions {
  readonly calls: number
  /** What the live ones take, roughly, at the least. */
  liveBytes(now: number): number
  /** A call of any kind on a session; throws where its answer is wrong. `lasting`: it never ends. */
  act(id: string, now: number, lasting: boolean): Promise<void>
  /** Deletes what has expired. Gives what is wrong, a sentence each. */
  sweep(now: number): Promise<readonly string[]>
  /** Reads them all, and lists them. */
  judge(now: number): Promise<readonly string[]>
}

interface Known {
  readonly record: SessionRecord
  readonly events: number
}

const never = Number.POSITIVE_INFINITY
const minuteMs = 60_000
const lifetimes = [1, 10, 60, 300].map((minutes) => minutes * minuteMs)
const retention = { maxEvents: keptEvents, maxAgeMs: never, maxBytes: 2 ** 30 }

export function soakSessions(backend: SessionBackend, random: () => number): SoakSessions {
  /** Expired ones stay until a sweep takes them: an earlier clock finds them. */
  const known = new Map<string, Known>()
  let calls = 0

  const isLive = ({ record }: Known, now: number) => record.expiresAt > now
  const live = (now: number) => [...known].filter(([, one]) => isLive(one, now))

  async function act(id: string, now: number, lasting: boolean): Promise<void> {
    calls += 1
    const one = known.get(id)
    const kind = random()
    if (one === undefined || !isLive(one, now)) return await create(id, now, lasting)
    if (kind < 0.1 && !lasting) return await remove(id, now)
    if (kind < 0.4) return await replace(id, one, now)
    if (kind < 0.7) return await touch(id, one, now)
    return await append(id, one, now)
  }

  async function create(id: string, now: number, lasting: boolean): Promise<void> {
    const ttlMs = lasting ? never : (lifetimes[Math.floor(random() * lifetimes.length)] ?? minuteMs)
    const rev = `${id}.${calls}`
    const instants = { createdAt: now, lastAccessedAt: now, ttlMs, mustEndAt: never, expiresAt: now + ttlMs }
    const record = { id, rev, prevRev: null, owner: `owner of ${id}`, ...instants, data: contentOfRev(rev) }
    expectOf(`create of ${id}`, true, await backend.create(record, diskCall(now)))
    known.set(id, { record, events: 0 })
  }

  async function remove(id: string, now: number): Promise<void> {
    expectOf(`delete of ${id}`, true, await backend.delete(id, undefined, diskCall(now)))
    known.delete(id)
  }

  async function replace(id: string, one: Known, now: number): Promise<void> {
    const rev = `${id}.${calls}`
    const record = { ...one.record, rev, prevRev: one.record.rev, data: contentOfRev(rev) }
    expectOf(`replace of ${id}`, true, (await backend.replace(record, one.record.rev, diskCall(now))).replaced)
    known.set(id, { ...one, record })
  }

  async function touch(id: string, one: Known, now: number): Promise<void> {
    // The clock may have gone back since.
    const lastAccessedAt = Math.max(now, one.record.lastAccessedAt)
    const instants = { lastAccessedAt, expiresAt: lastAccessedAt + one.record.ttlMs }
    expectOf(`touch of ${id}`, 'touched', await backend.touch({ id, rev: one.record.rev, ...instants }, diskCall(now)))
    known.set(id, { ...one, record: { ...one.record, ...instants } })
  }

  async function append(id: string, one: Known, now: number): Promise<void> {
    const events = one.events + 1
    expectOf(`append to ${id}`, events, await backend.events?.append(id, eventOf(id, events), retention, diskCall(now)))
    known.set(id, { ...one, events })
  }

  async function wrongOf(id: string, now: number): Promise<string | undefined> {
    const one = known.get(id)
    const wanted = one !== undefined && isLive(one, now) ? one : undefined
    const record = await backend.get(id, diskCall(now))
    const page = await backend.events?.read(id, { after: 0, limit: 1_000, maxAgeMs: never }, diskCall(now))
    if (!isSameRecord(record, wanted?.record)) return `${id} is ${textOf(record)}, not ${textOf(wanted?.record)}`
    const found = page?.events.map(({ key }) => key).join()
    const kept = wanted === undefined ? undefined : keysOf(id, wanted.events).join()
    return found === kept ? undefined : `${id} has the events ${found}, not ${kept}`
  }

  return {
    get calls() {
      return calls
    },
    liveBytes(now) {
      return live(now).reduce((sum, [, { record, events }]) => sum + record.data.length + 200 + Math.min(events, keptEvents) * 100, 0)
    },
    act,
    async sweep(now) {
      const gone = [...known].filter(([, one]) => !isLive(one, now))
      let swept = 0
      for (let deleted = -1; deleted !== 0; swept += deleted) deleted = await backend.deleteExpired(1_000, diskCall(now))
      for (const [id] of gone) known.delete(id)
      const wrong = swept === gone.length ? [] : [`a sweep deleted ${swept} sessions, ${gone.length} had expired`]
      for (const [id, { record }] of gone) {
        // Even a clock that has gone back finds nothing of it.
        const left = await wrongOf(id, record.createdAt)
        if (left !== undefined) wrong.push(`after a sweep, ${left}`)
      }
      return wrong
    },
    async judge(now) {
      const wrong: string[] = []
      for (const id of known.keys()) {
        const what = await wrongOf(id, now)
        if (what !== undefined) wrong.push(what)
      }
      const listed = (await listAll(backend, now)).toSorted().join()
      const wanted = live(now)
        .map(([id]) => id)
        .toSorted()
        .join()
      if (listed !== wanted) wrong.push(`listed are ${listed}, not ${wanted}`)
      return wrong
    },
  }
}

function keysOf(id: string, events: number): readonly string[] {
  const count = Math.min(events, keptEvents)
  return Array.from({ length: count }, (_, n) => eventOf(id, events - count + n + 1).key)
}

function isSameRecord(one: SessionRecord | undefined, other: SessionRecord | undefined): boolean {
  return textOf(one) === textOf(other)
}

function textOf(record: SessionRecord | undefined): string {
  if (record === undefined) return 'absent'
  const { id, rev, prevRev, owner, createdAt, lastAccessedAt, ttlMs, expiresAt, data } = record
  return `${[id, rev, prevRev, owner, createdAt, lastAccessedAt, ttlMs, expiresAt, data]}`
}

async function listAll(backend: SessionBackend, now: number): Promise<readonly string[]> {
  const ids = new Set<string>()
  let cursor: string | undefined
  do {
    const page = await backend.list({ limit: 100, data: false, ...(cursor === undefined ? {} : { cursor }) }, diskCall(now))
    for (const { id } of page.records) ids.add(id)
    cursor = page.cursor
  } while (cursor !== undefined)
  return [...ids]
}

function expectOf(what: string, wanted: unknown, answered: unknown): void {
  if (answered !== wanted) throw new Error(`${what} answers ${JSON.stringify(answered)}, not ${JSON.stringify(wanted)}`)
}
