import { decodeCursor, encodeCursor, isExpired, type ListPage, type ListQuery, type SessionRecord } from '@mcp-session/core/backend'
import { recordOf } from './entry.ts'
import type { Records } from './records.ts'

const cursorTag = 'memory'
const maxPageBytes = 4 * 1024 * 1024
/** A prefix or a dead stretch that matches nothing must not block the event loop: the page ends, empty, with a cursor. */
const maxVisits = 10_000

/** One page of live records in the order in which they came. A `TypeError` for a cursor that is not one of these listings. */
export function listPage(table: Records, query: ListQuery, now: number): ListPage {
  const withData = query.data !== false
  const records: SessionRecord[] = []
  let position = query.cursor === undefined ? 0 : serialIn(query.cursor)
  let bytes = 0
  let visits = 0
  for (const entry of table.after(position, query.owner)) {
    if (records.length >= query.limit || visits >= maxVisits) return { records, cursor: cursorAt(position) }
    visits += 1
    if (!isExpired(entry, now) && (query.prefix === undefined || entry.id.startsWith(query.prefix))) {
      const size = withData ? Buffer.byteLength(entry.data) : 0
      if (records.length > 0 && bytes + size > maxPageBytes) return { records, cursor: cursorAt(position) }
      records.push(withData ? recordOf(entry) : recordOf(entry, ''))
      bytes += size
    }
    position = entry.serial
  }
  return { records }
}

function cursorAt(serial: number): string {
  return encodeCursor(cursorTag, String(serial))
}

function serialIn(cursor: string): number {
  const serial = decodeCursor(cursorTag, cursor)
  if (!/^\d{1,15}$/.test(serial)) throw new TypeError('cursor is not one of this listing: pass the cursor of the page before, unchanged')
  return Number(serial)
}
