import { decodeCursor, encodeCursor, type ListPage, type ListQuery, type SessionRecord } from '@mcp-session/core/backend'
import { columnsOf, listedRecordOf } from './rows.ts'
import type { Statements } from './statements.ts'

const cursorTag = 'sqlite'
const maxPageBytes = 4 * 1024 * 1024
/** Dead rows that a page steps over at most: about 2 ms. Then it ends, perhaps empty, with a cursor. */
const maxDeadRows = 2_000

/** One page of live records in the order of their ids. A `TypeError` for a cursor that is not one of these listings. */
export function listPage(statements: Statements, query: ListQuery, now: number): ListPage {
  const range = rangeOf(query)
  const { full, headers } = query.owner === undefined ? statements.list : statements.listOwner
  const owner = query.owner === undefined ? {} : { owner: query.owner }
  const rows = (query.data === false ? headers : full).iterate({ ...range, ...owner, now, limit: query.limit + maxDeadRows })
  const records: SessionRecord[] = []
  let bytes = 0
  let dead = 0
  let before: unknown
  for (const row of rows) {
    const { seq, live } = columnsOf(row)
    const record = live === 0 ? undefined : listedRecordOf(row)
    const size = record === undefined ? 0 : Buffer.byteLength(record.data)
    if (records.length >= query.limit || dead >= maxDeadRows || (records.length > 0 && bytes + size > maxPageBytes)) {
      const position = between(idBytes(statements, before), idBytes(statements, seq))
      // A damaged id may stand out of order: a cursor that leads back would list for ever.
      if (Buffer.compare(position, range.from) > 0) return { records, cursor: encodeCursor(cursorTag, position.toString('hex')) }
    }
    if (record === undefined) dead += 1
    else records.push(record)
    bytes += size
    before = seq
  }
  return { records }
}

/** Ids are compared as bytes: `from` is inclusive, `to` exclusive. */
function rangeOf({ prefix = '', cursor }: ListQuery): { from: Buffer; to: Buffer } {
  const start = Buffer.from(prefix, 'utf8')
  const position = cursor === undefined ? start : positionIn(cursor)
  const from = Buffer.compare(position, start) > 0 ? position : start
  // No byte of UTF-8 is 0xff.
  return { from, to: Buffer.concat([start, Buffer.from([0xff])]) }
}

/**
 * The shortest text that parts two neighbouring ids: so much of the later one as differs from the earlier. Ids are what grants
 * access to a session, and a cursor may be shown to a client.
 */
function between(earlier: Buffer, later: Buffer): Buffer {
  let shared = 0
  while (shared < earlier.length && earlier[shared] === later[shared]) shared += 1
  return later.subarray(0, shared + 1)
}

/** As bytes: a damaged id may be no text any more, and must not stop the listing. */
function idBytes(statements: Statements, seq: unknown): Buffer {
  const { bytes } = columnsOf(statements.idBytes.get(seq) ?? {})
  return Buffer.isBuffer(bytes) ? bytes : Buffer.alloc(0)
}

function positionIn(cursor: string): Buffer {
  const position = decodeCursor(cursorTag, cursor)
  if (/^(?:[0-9a-f]{2}){1,255}$/.test(position)) return Buffer.from(position, 'hex')
  throw new TypeError('cursor is not one of this listing: pass the cursor of the page before, unchanged')
}
