import type { ReplaceResult, SessionRecord, Touch, TouchResult } from '@mcp-session/core/backend'
import { columnsOf, damaged, knownRecordOf, parametersOf, recordOf, type Standing, standingOf, storedInstant } from './rows.ts'
import type { Statements } from './statements.ts'

/** The steps on records. All but `get` run inside a write transaction, and find a damaged row before they write. */
export interface Records {
  create(record: SessionRecord, now: number): boolean
  get(id: string, now: number, known?: SessionRecord): SessionRecord | undefined
  replace(record: SessionRecord, expectedRev: string, now: number): ReplaceResult
  touch(touch: Touch, now: number): TouchResult
  delete(id: string, expectedRev: string | undefined, now: number): boolean
  deleteExpired(limit: number, now: number): number
  /** The `seq` of a live session, under which its events stand. */
  liveSeq(id: string, now: number): number | undefined
}

/** Sessions that a sweep deletes at once: SQLite needs a millisecond or two, and everybody else waits for no more. */
const maxSwept = 100
/** Sessions bring their events along: a sweep ends early rather than delete more rows than this at once. */
const maxSweptRows = 2_000

export function records(statements: Statements): Records {
  function create(record: SessionRecord, now: number): boolean {
    const parameters = parametersOf(record)
    if (statements.insert.run(parameters).changes === 1) return true
    const known = standing(record.id)
    if (known === undefined || known.expiresAt > now) return false
    remove(known.seq)
    statements.insert.run(parameters)
    return true
  }

  function get(id: string, now: number, known?: SessionRecord): SessionRecord | undefined {
    const record = (known === undefined ? undefined : asKnown(id, known)) ?? stored(id)
    return record === undefined || record.expiresAt <= now ? undefined : record
  }

  /** Of a row under a known rev only the instants are read: the texts are most of what a row costs. */
  function asKnown(id: string, known: SessionRecord): SessionRecord | undefined {
    const row = statements.instants.get(id)
    return row === undefined ? undefined : knownRecordOf(row, known)
  }

  function stored(id: string): SessionRecord | undefined {
    const row = statements.record.get(id)
    return row === undefined ? undefined : recordOf(row)
  }

  function replace(record: SessionRecord, expectedRev: string, now: number): ReplaceResult {
    const { changes } = statements.replace.run({ expectedRev, now, ...parametersOf(record) })
    return changes === 1 ? { replaced: true } : { replaced: false, current: get(record.id, now) }
  }

  function touch({ id, rev, lastAccessedAt, expiresAt }: Touch, now: number): TouchResult {
    const parameters = { id, rev, lastAccessedAt: storedInstant(lastAccessedAt), expiresAt: storedInstant(expiresAt), now }
    if (statements.touch.run(parameters).changes === 1) return 'touched'
    const known = standing(id)
    if (known === undefined || known.expiresAt <= now) return 'missing'
    return known.rev === rev ? 'touched' : 'moved'
  }

  /** A damaged row must not stay for ever: whoever asks for its end gets it. */
  function deleteRecord(id: string, expectedRev: string | undefined, now: number): boolean {
    const known = standingOf(statements.standing.get(id))
    if (known === undefined || (known.intact && known.expiresAt <= now)) return false
    if (expectedRev !== undefined && known.rev !== expectedRev) return false
    remove(known.seq)
    return true
  }

  function deleteExpired(limit: number, now: number): number {
    let deleted = 0
    let rows = 0
    for (const row of statements.expired.all({ now, limit: Math.min(limit, maxSwept) })) {
      if (rows >= maxSweptRows) break
      rows += remove(Number(columnsOf(row)['seq']))
      deleted += 1
    }
    return deleted
  }

  function liveSeq(id: string, now: number): number | undefined {
    const known = standing(id)
    return known === undefined || known.expiresAt <= now ? undefined : known.seq
  }

  /** Removes a session with its events, and says how many rows that were. */
  function remove(seq: number): number {
    const rows = statements.remove.run(seq).changes
    // Only a session with a log row has events: most have none, and pay for one look.
    const hasEvents = statements.removeLog.run(seq).changes === 1
    return hasEvents ? rows + statements.removeEvents.run(seq).changes + statements.removeTrims.run(seq).changes : rows
  }

  function standing(id: string): Standing | undefined {
    const known = standingOf(statements.standing.get(id))
    if (known !== undefined && !known.intact) throw damaged(id)
    return known
  }

  return { create, get, replace, touch, delete: deleteRecord, deleteExpired, liveSeq }
}
