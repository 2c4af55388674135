import type {
  Call,
  EventLog,
  EventPage,
  EventQuery,
  ListPage,
  ListQuery,
  NewEvent,
  ReplaceResult,
  Retention,
  SessionBackend,
  SessionRecord,
  Touch,
  TouchResult,
} from '@mcp-session/core/backend'
import type { ManualClock } from './clock.ts'
import type { History } from './history.ts'

/** A backend's methods as the cases use them: the call goes along by itself, with the clock of the case, and is noted. */
export interface Calls {
  create(record: SessionRecord): Promise<boolean>
  /** Every second time with what it gave last for that id as what is known, unless that is given. */
  get(id: string, known?: SessionRecord): Promise<SessionRecord | undefined>
  replace(record: SessionRecord, expectedRev: string): Promise<ReplaceResult>
  touch(touch: Touch): Promise<TouchResult>
  delete(id: string, expectedRev?: string): Promise<boolean>
  list(query?: Partial<ListQuery>): Promise<ListPage>
  /** Follows cursors to the end; fails after 10,000 pages. */
  listAll(query?: Partial<ListQuery>): Promise<SessionRecord[]>
  deleteExpired(limit?: number): Promise<number>
  append(id: string, event: NewEvent, retention?: Partial<Retention>): Promise<number | undefined>
  read(id: string, query?: Partial<EventQuery>): Promise<EventPage | undefined>
  restore(id: string, page: EventPage): Promise<boolean>
}

/** Reaches one backend object, and says in the history who did it. */
export function callsOn(backend: SessionBackend, clock: ManualClock, history: History, who = ''): Calls {
  const call = (): Call => callAt(clock.now)
  const note = <T>(method: string, args: readonly unknown[], run: () => Promise<T>): Promise<T> =>
    history.around(who, method, args, clock.now, run)
  const log = (): EventLog => {
    if (backend.events === undefined) throw new Error('this backend has no event log')
    return backend.events
  }

  const given = new Map<string, SessionRecord>()
  let gets = 0

  async function get(id: string, known?: SessionRecord): Promise<SessionRecord | undefined> {
    gets += 1
    const hint = known ?? (gets % 2 === 0 ? given.get(id) : undefined)
    const record = await note('get', hint === undefined ? [id] : [id, { known: hint.rev }], () => backend.get(id, call(), hint))
    // A copy: cases change what they are given.
    if (record !== undefined) given.set(id, { ...record })
    return record
  }

  const list = (query: Partial<ListQuery> = {}): Promise<ListPage> =>
    note('list', [query], () => backend.list({ limit: 1_000, ...query }, call()))

  async function listAll(query: Partial<ListQuery> = {}): Promise<SessionRecord[]> {
    const records: SessionRecord[] = []
    let cursor: string | undefined
    for (let pages = 0; pages < 10_000; pages += 1) {
      const page = await list(cursor === undefined ? query : { ...query, cursor })
      records.push(...page.records)
      cursor = page.cursor
      if (cursor === undefined) return records
    }
    throw new Error('the listing does not end: 10,000 pages and still a cursor')
  }

  return {
    create: (record) => note('create', [record], () => backend.create(record, call())),
    get,
    replace: (record, expectedRev) => note('replace', [record, expectedRev], () => backend.replace(record, expectedRev, call())),
    touch: (touch) => note('touch', [touch], () => backend.touch(touch, call())),
    delete: (id, expectedRev) => note('delete', [id, expectedRev], () => backend.delete(id, expectedRev, call())),
    list,
    listAll,
    deleteExpired: (limit = 1_000) => note('deleteExpired', [limit], () => backend.deleteExpired(limit, call())),
    append: (id, event, retention) =>
      note('append', [id, event, retention], () => log().append(id, event, { ...unbounded, ...retention }, call())),
    read: (id, query) => note('read', [id, query], () => log().read(id, { ...everything, ...query }, call())),
    restore: (id, page) => note('restore', [id, page], () => log().restore(id, page, call())),
  }
}

/** A call with time enough: what a case is about is never the deadline, unless it says so. */
export function callAt(now: number): Call {
  return { now, deadlineAt: performance.now() + 20_000 }
}

export const unbounded: Retention = {
  maxEvents: Number.POSITIVE_INFINITY,
  maxAgeMs: Number.POSITIVE_INFINITY,
  maxBytes: Number.POSITIVE_INFINITY,
}

const everything: EventQuery = { after: 0, limit: 10_000, maxAgeMs: Number.POSITIVE_INFINITY }
