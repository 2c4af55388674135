import { type Call, decodeCursor, encodeCursor, type ListPage, type ListQuery, type SessionRecord } from '@mcp-session/core/backend'
import { checkText } from './check-input.ts'
import { listedRecord, standingIn } from './rows.ts'
import type { Statements } from './statements.ts'
import type { Wire } from './wire.ts'

const cursorTag = 'postgres'
const maxPageBytes = 4 * 1024 * 1024
/** Dead rows that a page steps over at most. Then it ends, perhaps empty, with a cursor. */
const maxDeadRows = 10_000
/** No id is greater. */
const end = '\u{10ffff}'

/** One page of live records in the order of their ids. A `TypeError` for a cursor that is not one of these listings. */
export async function listPage(wire: Wire, statements: Statements, query: ListQuery, call: Call): Promise<ListPage> {
  const { from, to } = rangeOf(query)
  if (query.owner !== undefined) checkText('owner', query.owner)
  const values = [query.owner ?? null, from, to, call.now, query.limit, query.data !== false, maxPageBytes, maxDeadRows]
  const records: SessionRecord[] = []
  for (const row of await wire.read(statements.list, values, [call])) {
    const standing = standingIn(row, 1)
    if (row[0] !== 't') {
      records.push(listedRecord(standing))
      continue
    }
    const position = between(standing.record.rev, standing.record.id)
    // A damaged id may stand out of order: a cursor that leads back would list for ever.
    if (Buffer.compare(Buffer.from(position), Buffer.from(from)) > 0) return { records, cursor: encodeCursor(cursorTag, position) }
  }
  return { records }
}

/** Ids are compared as bytes: `from` is inclusive, `to` exclusive. */
function rangeOf({ prefix = '', cursor }: ListQuery): { from: string; to: string } {
  checkText('prefix', prefix)
  const position = cursor === undefined ? prefix : positionIn(cursor)
  return { from: Buffer.compare(Buffer.from(position), Buffer.from(prefix)) > 0 ? position : prefix, to: `${prefix}${end}` }
}

/**
 * The shortest text that parts two neighbouring ids: so much of the later one as differs from the earlier. Ids are what grants
 * access to a session, and a cursor may be shown to a client.
 */
function between(earlier: string, later: string): string {
  let shared = 0
  while (shared < earlier.length && earlier[shared] === later[shared]) shared += 1
  return later.slice(0, shared + 1)
}

function positionIn(cursor: string): string {
  const position = decodeCursor(cursorTag, cursor)
  if (/^[^\0]{1,255}$/u.test(position)) return position
  throw new TypeError('cursor is not one of this listing: pass the cursor of the page before, unchanged')
}
