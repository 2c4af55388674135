import type { SessionBackend, SessionRecord } from '@mcp-session/core/backend'
import { anyRetention, call, epoch } from './fixtures.ts'

/** A session with its events as text, or `absent`. */
export type State = string

/** What happened to a session, and when on the scale of `clock`. */
interface Moment {
  readonly at: number
  readonly id: string
  /** `begun`: the session may be in that state from now on. `known`: it is, and that was acknowledged or shown. */
  readonly what: 'begun' | 'known'
  readonly state: State
}

export interface Workload {
  /** Runs so many steps; a step that fails is a step too. Gives the failures. */
  run(backend: SessionBackend, steps: number): Promise<unknown[]>
  /** What the store says that it must not, if only what happened before `at` counts. Empty: it is right. */
  wrongs(backend: SessionBackend, at?: number): Promise<string[]>
}

const absent: State = 'absent'
const ids = Array.from({ length: 7 }, (_, n) => `s_${n}`)
const maxEvents = 4

interface Model {
  readonly record: SessionRecord
  readonly events: readonly { readonly sequence: number; readonly key: string; readonly data: string }[]
  readonly last: number
  readonly trimmed: boolean
}

/** Random calls of every kind on a few sessions, some at once, and what the store may say about these afterwards. */
export function workload(seed: number, clock: () => number = () => 0): Workload {
  const random = randomFrom(seed)
  const moments: Moment[] = []
  const models = new Map<string, Model>()
  let writes = 0

  async function run(backend: SessionBackend, steps: number): Promise<unknown[]> {
    const failures: unknown[] = []
    for (let step = 0; step < steps; step += 1) {
      const some = ids.filter(() => random(3) === 0)
      await Promise.all(some.map((id) => act(backend, id).catch((error: unknown) => failed(backend, id, error, failures))))
      if (random(8) === 0) await backend.deleteExpired(10, call()).catch((error: unknown) => failures.push(error))
    }
    return failures
  }

  async function failed(backend: SessionBackend, id: string, error: unknown, failures: unknown[]): Promise<void> {
    failures.push(error)
    const found = await modelIn(backend, id)
    if (found === undefined) models.delete(id)
    else models.set(id, found)
    note(id, 'known', stateOf(found))
  }

  async function act(backend: SessionBackend, id: string): Promise<void> {
    writes += 1
    const model = models.get(id)
    if (model === undefined) return create(backend, id)
    const kind = random(10)
    if (kind === 0) return remove(backend, id, model)
    if (kind < 4) return replace(backend, id, model)
    if (kind < 6) return touch(backend, id, model)
    if (kind < 7) return restore(backend, id, model)
    return append(backend, id, model)
  }

  async function create(backend: SessionBackend, id: string): Promise<void> {
    const isExpired = random(4) === 0
    const record = newVersion(id, null, isExpired ? epoch : epoch + 60_000 + writes)
    const next: Model = { record, events: [], last: 0, trimmed: false }
    await change(id, isExpired ? undefined : next, () => backend.create(record, call()), true)
  }

  async function replace(backend: SessionBackend, id: string, model: Model): Promise<void> {
    const record = newVersion(id, model.record.rev, epoch + 60_000 + writes)
    const { replaced } = await change(id, { ...model, record }, () => backend.replace(record, model.record.rev, call()))
    if (!replaced) throw new Error('a replace of the rev that is live lost')
  }

  async function touch(backend: SessionBackend, id: string, model: Model): Promise<void> {
    const moved = { lastAccessedAt: epoch + writes, expiresAt: epoch + 120_000 + writes }
    const next = { ...model, record: { ...model.record, ...moved } }
    await change(id, next, () => backend.touch({ id, rev: model.record.rev, ...moved }, call()), 'touched')
  }

  async function remove(backend: SessionBackend, id: string, model: Model): Promise<void> {
    await change(id, undefined, () => backend.delete(id, random(2) === 0 ? undefined : model.record.rev, call()), true)
  }

  async function append(backend: SessionBackend, id: string, model: Model): Promise<void> {
    const event = { key: `k${writes}`, stream: `stream ${random(3)}`, data: `event ${writes} ${'e'.repeat(random(60))}` }
    const sequence = model.last + 1
    const all = [...model.events, { sequence, key: event.key, data: event.data }]
    const next = { ...model, last: sequence, events: all.slice(-maxEvents), trimmed: model.trimmed || all.length > maxEvents }
    await change(id, next, () => backend.events?.append(id, event, { ...anyRetention, maxEvents }, call()), sequence)
  }

  async function restore(backend: SessionBackend, id: string, model: Model): Promise<void> {
    const added = [1, 2].map((n) => ({ sequence: model.last + n, key: `k${writes}.${n}`, data: `restored ${writes}` }))
    const last = model.last + 3
    const events = added.map((event) => ({ ...event, stream: 'restored', createdAt: epoch }))
    const next = { ...model, last, events: [...model.events, ...added] }
    await change(id, next, () => backend.events?.restore(id, { events, last, trimmed: false }, call()), true)
  }

  async function change<T>(id: string, next: Model | undefined, act: () => Promise<T> | undefined, expected?: T): Promise<T> {
    note(id, 'begun', stateOf(next))
    const result = await act()
    if (result === undefined || (expected !== undefined && result !== expected)) {
      throw new Error(`${id}: expected ${String(expected)}, got ${String(result)}`)
    }
    if (next === undefined) models.delete(id)
    else models.set(id, next)
    note(id, 'known', stateOf(next))
    return result
  }

  function note(id: string, what: Moment['what'], state: State): void {
    moments.push({ at: clock(), id, what, state })
  }

  function newVersion(id: string, prevRev: string | null, expiresAt: number): SessionRecord {
    const data = `{"write":${writes},"text":"${'ÿ'.repeat(random(80))}"}`
    const owner = ['alice', 'bob', null][random(3)] ?? null
    const instants = { createdAt: epoch, lastAccessedAt: epoch, ttlMs: 60_000, mustEndAt: Number.POSITIVE_INFINITY, expiresAt }
    return { id, rev: `r${writes}`, prevRev, owner, ...instants, data }
  }

  async function wrongs(backend: SessionBackend, at: number = Number.POSITIVE_INFINITY): Promise<string[]> {
    const found: string[] = []
    for (const id of ids) {
      const state = stateOf(await modelIn(backend, id))
      const past = moments.filter((moment) => moment.id === id && moment.at <= at)
      const known = past.findLastIndex(({ what }) => what === 'known')
      const allowed = [known === -1 ? absent : (past[known]?.state ?? absent), ...past.slice(known + 1).map((moment) => moment.state)]
      if (!allowed.includes(state)) found.push(`${id} is ${state}, expected ${allowed.join(' or ')}`)
    }
    const { records } = await backend.list({ limit: 1_000 }, call())
    const listed = records.map(({ id }) => id).toSorted()
    const live: string[] = []
    for (const id of ids) if ((await backend.get(id, call())) !== undefined) live.push(id)
    if (listed.join() !== live.join()) found.push(`listed are ${listed.join()}, live are ${live.join()}`)
    return found
  }

  return { run, wrongs }
}

async function modelIn(backend: SessionBackend, id: string): Promise<Model | undefined> {
  const record = await backend.get(id, call())
  const page = await backend.events?.read(id, { after: 0, limit: 1_000, maxAgeMs: Number.POSITIVE_INFINITY }, call())
  if (record === undefined || page === undefined) return undefined
  const events = page.events.map(({ sequence, key, data }) => ({ sequence, key, data }))
  return { record, events, last: page.last, trimmed: page.trimmed }
}

function stateOf(model: Model | undefined): State {
  if (model === undefined) return absent
  const { record, events, last, trimmed } = model
  const never = record.mustEndAt === Number.POSITIVE_INFINITY
  return JSON.stringify([
    record.rev,
    record.prevRev,
    record.owner,
    record.lastAccessedAt,
    record.expiresAt,
    record.ttlMs,
    never,
    record.data,
    events,
    last,
    trimmed,
  ])
}

/** The same numbers for the same seed: 0 to `below` − 1. */
export function randomFrom(seed: number): (below: number) => number {
  let state = seed >>> 0
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}
