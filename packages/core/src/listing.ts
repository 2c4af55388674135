import { checkString, checkWholeNumber } from './arguments.ts'
import type { ListPage, ListQuery, SessionRecord } from './backend.ts'
import { SessionError } from './errors.ts'
import { isExpired } from './expiry.ts'
import { isRotated } from './ids.ts'
import { givenOwner } from './owner.ts'
import type { CorruptSession, ListOptions, Session, SessionPage } from './sessions.ts'
import type { Method, StoreParts } from './store-parts.ts'

export interface Listing<M> {
  list(options: ListOptions): Promise<SessionPage<M>>
  iterate(options: Omit<ListOptions, 'cursor'>): AsyncIterableIterator<Session<M> | CorruptSession>
  count(options: { readonly owner?: string; readonly signal?: AbortSignal | undefined }): Promise<number>
}

const defaultLimit = 100
const countLimit = 1_000

export function listing<M>(parts: StoreParts<M>, method: Method): Listing<M> {
  const { options, backend, calls, snapshots } = parts

  async function list(given: ListOptions): Promise<SessionPage<M>> {
    const { records, ...rest } = await page(given, true)
    return { ...rest, sessions: records.map(entry) }
  }

  async function* iterate(given: Omit<ListOptions, 'cursor'>): AsyncIterableIterator<Session<M> | CorruptSession> {
    let cursor: string | undefined
    do {
      const from = cursor
      const next: SessionPage<M> = await method('list', () => list({ ...given, cursor: from }))
      yield* next.sessions
      cursor = next.cursor
    } while (cursor !== undefined)
  }

  async function count(given: { readonly owner?: string; readonly signal?: AbortSignal | undefined }): Promise<number> {
    let counted = 0
    let cursor: string | undefined
    do {
      const next: ListPage = await page({ ...given, limit: countLimit, cursor }, false)
      counted += next.records.length
      cursor = next.cursor
    } while (cursor !== undefined)
    return counted
  }

  async function page(given: ListOptions, data: boolean): Promise<ListPage> {
    const { limit, cursor, signal } = given
    const asked = givenOwner(given)
    const query: ListQuery = {
      limit: checkWholeNumber(limit ?? defaultLimit, 'limit', 1, 10_000),
      prefix: `${options.kind}_`,
      data,
      ...(asked && { owner: checkString(asked.owner, 'owner') }),
      ...(cursor !== undefined && { cursor: checkString(cursor, 'cursor') }),
    }
    const call = calls.begin(signal)
    const ask = () => backend.list(query, call)
    const answer = await calls.read<ListPage | TypeError>(call, cursor === undefined ? ask : () => ask().catch(refusedCursor))
    if (answer instanceof TypeError) throw answer
    const records = answer.records.filter((record) => !isRotated(record) && !isExpired(record, call.now))
    return { ...answer, records }
  }

  /** A damaged record is named, and the listing goes on. */
  function entry(record: SessionRecord): Session<M> | CorruptSession {
    try {
      return snapshots.session(record)
    } catch (error) {
      if (SessionError.is(error)) return Object.freeze({ id: record.id, error })
      throw error
    }
  }

  return { list, iterate, count }
}

/** A cursor that is not the backend's own is the caller's mistake: it must not look like the engine's failure. */
function refusedCursor(error: unknown): TypeError {
  if (error instanceof TypeError) return error
  throw error
}
