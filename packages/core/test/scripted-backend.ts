import {
  type BackendInfo,
  decodeCursor,
  type ErrorClass,
  encodeCursor,
  isExpired,
  lifecycle,
  type SessionBackend,
  type SessionRecord,
} from '../src/backend.ts'
import { scriptedEvents } from './scripted-events.ts'
import { scriptedSignals } from './scripted-signals.ts'

/** What a call does instead of being carried out at once: `apply` carries it out. */
export type Reaction = <T>(apply: () => Promise<T>) => Promise<T>

export type ScriptedMethod =
  | 'open'
  | 'create'
  | 'get'
  | 'replace'
  | 'touch'
  | 'delete'
  | 'list'
  | 'deleteExpired'
  | 'health'
  | 'close'
  | 'append'
  | 'read'
  | 'publish'
  | 'subscribe'

export interface Sent {
  readonly method: ScriptedMethod
  readonly args: readonly unknown[]
}

/** A backend in a `Map` that keeps the contract, and whose every call a test can lose, park, refuse or precede. */
export interface ScriptedBackend extends SessionBackend {
  readonly records: Map<string, SessionRecord>
  /** Calls that reached the engine, in order. */
  readonly sent: Sent[]
  /** How the next calls of a method go, one reaction a call. */
  once(method: ScriptedMethod, ...reactions: Reaction[]): void
  /** How all other calls of a method go. */
  always(method: ScriptedMethod, reaction: Reaction): void
  count(method: ScriptedMethod): number
}

/** What a driver throws; `known` is what `classify` makes of it. */
export class DriverError extends Error {
  override readonly name = 'DriverError'
  readonly known: ErrorClass | undefined
  constructor(message: string, known?: ErrorClass) {
    super(message)
    this.known = known
  }
}

export interface ScriptedOptions {
  readonly info?: Partial<BackendInfo>
  readonly engineNow?: () => number
  readonly evicted?: () => number
  readonly withoutFacets?: boolean
}

export function scriptedBackend(options: ScriptedOptions = {}): ScriptedBackend {
  const records = new Map<string, SessionRecord>()
  const sent: Sent[] = []
  const next = new Map<ScriptedMethod, Reaction[]>()
  const standing = new Map<ScriptedMethod, Reaction>()
  const life = lifecycle({ open: () => react('open', [], async () => {}), close: () => react('close', [], async () => {}) })

  function react<T>(method: ScriptedMethod, args: readonly unknown[], apply: () => Promise<T>): Promise<T> {
    sent.push({ method, args })
    const reaction = next.get(method)?.shift() ?? standing.get(method)
    return reaction === undefined ? apply() : reaction(apply)
  }

  function live(id: string, now: number): SessionRecord | undefined {
    const record = records.get(id)
    return record === undefined || isExpired(record, now) ? undefined : record
  }

  const events = scriptedEvents(react, live)
  const backend: ScriptedBackend = {
    records,
    sent,
    once: (method, ...reactions) => void next.set(method, [...(next.get(method) ?? []), ...reactions]),
    always: (method, reaction) => void standing.set(method, reaction),
    count: (method) => sent.filter((call) => call.method === method).length,
    info: { name: 'scripted', contract: 1, sharing: 'process', durability: 'none', expiry: 'swept', ...options.info },
    open: life.open,
    create: (record, call) =>
      react('create', [record, call], async () => {
        if (live(record.id, call.now) !== undefined) return false
        remove(record.id)
        records.set(record.id, { ...record })
        return true
      }),
    get: (id, call, known) => react('get', [id, call, known], async () => copyOf(live(id, call.now))),
    replace: (record, expectedRev, call) =>
      react('replace', [record, expectedRev, call], async () => {
        const current = live(record.id, call.now)
        if (current?.rev !== expectedRev) return { replaced: false, current: copyOf(current) }
        records.set(record.id, { ...record })
        return { replaced: true }
      }),
    touch: (touch, call) =>
      react('touch', [touch, call], async () => {
        const current = live(touch.id, call.now)
        if (current === undefined) return 'missing'
        if (current.rev !== touch.rev) return 'moved'
        const lastAccessedAt = Math.max(current.lastAccessedAt, touch.lastAccessedAt)
        records.set(touch.id, { ...current, lastAccessedAt, expiresAt: Math.max(current.expiresAt, touch.expiresAt) })
        return 'touched'
      }),
    delete: (id, expectedRev, call) =>
      react('delete', [id, expectedRev, call], async () => {
        const current = live(id, call.now)
        if (current === undefined || (expectedRev !== undefined && current.rev !== expectedRev)) return false
        remove(id)
        return true
      }),
    list: (query, call) =>
      react('list', [query, call], async () => {
        const after = query.cursor === undefined ? '' : decodeCursor('scripted', query.cursor)
        const matching = [...records.values()]
          .filter((record) => !isExpired(record, call.now) && record.id > after && record.id.startsWith(query.prefix ?? ''))
          .filter((record) => query.owner === undefined || record.owner === query.owner)
          .sort((a, b) => (a.id < b.id ? -1 : 1))
        const page = matching.slice(0, query.limit).map((record) => ({ ...record, data: query.data === false ? '' : record.data }))
        const last = page.at(-1)
        return last === undefined || matching.length === page.length
          ? { records: page }
          : { records: page, cursor: encodeCursor('scripted', last.id) }
      }),
    deleteExpired: (limit, call) =>
      react('deleteExpired', [limit, call], async () => {
        const expired = [...records.values()].filter((record) => isExpired(record, call.now)).slice(0, limit)
        for (const record of expired) remove(record.id)
        return expired.length
      }),
    health: (call) =>
      react('health', [call], async () => {
        const warnings = [{ code: 'SCRIPTED', message: 'this engine is a script' }]
        return options.engineNow === undefined ? { warnings } : { warnings, engineNow: options.engineNow() }
      }),
    close: life.close,
    classify: (error) => (error instanceof DriverError ? error.known : undefined),
    ...(options.evicted === undefined ? {} : { evicted: options.evicted }),
    ...(options.withoutFacets === true ? {} : { events: events.log, signals: scriptedSignals(react) }),
  }

  function remove(id: string): void {
    records.delete(id)
    events.forget(id)
  }

  return backend
}

function copyOf(record: SessionRecord | undefined): SessionRecord | undefined {
  return record === undefined ? undefined : { ...record }
}
