import { decodeCursor, encodeCursor, type ListPage, type ListQuery, SessionError, type SessionRecord } from '@mcp-session/core/backend'
import { type Captured, eachOf, type Reading } from './reading.ts'
import type { Table } from './table.ts'

const cursorTag = 'file'
const maxPageBytes = 4 * 1024 * 1024
/** A prefix or a dead stretch that matches nothing must not block the event loop: the page ends, empty, with a cursor. */
const maxVisits = 10_000

/** One page of live records, in the order in which they came. A `TypeError` for a cursor that is not one of these listings. */
export async function listPage(table: Table, reading: Reading, query: ListQuery, now: number): Promise<ListPage> {
  const withData = query.data !== false
  const { found, position, ended } = find(table, reading, query, now)
  const records = await eachOf(found, (captured) => listed(table, reading, captured, withData))
  return ended ? { records } : { records, cursor: encodeCursor(cursorTag, String(position)) }
}

/** Names all records of the page before it waits: what is deleted or moved meanwhile can still be read. */
function find(
  table: Table,
  reading: Reading,
  query: ListQuery,
  now: number,
): { readonly found: Captured[]; readonly position: number; readonly ended: boolean } {
  const found: Captured[] = []
  let position = query.cursor === undefined ? 0 : serialIn(query.cursor)
  let [bytes, visits] = [0, 0]
  for (const row of table.after(position, query.owner)) {
    const size = query.data === false ? 0 : table.placeOf(row).bytes
    const isFull = found.length >= query.limit || (found.length > 0 && bytes + size > maxPageBytes)
    if (isFull || visits >= maxVisits) return { found, position, ended: false }
    visits += 1
    position = table.serialOf(row)
    if (table.expiresAtOf(row) <= now || !table.idOf(row).startsWith(query.prefix ?? '')) continue
    found.push(reading.capture(row))
    bytes += size
  }
  return { found, position, ended: true }
}

/** A damaged record is listed as what is left of it: the store's checks name it, and the listing goes on. */
async function listed(table: Table, reading: Reading, captured: Captured, withData: boolean): Promise<SessionRecord> {
  try {
    return await reading.record(captured, withData)
  } catch (error) {
    if (!SessionError.is(error, 'MCP_SESSION_CORRUPT')) throw error
    const row = table.find(captured.id)
    const owner = row === -1 ? null : table.ownerOf(row)
    const instants = { createdAt: 0, lastAccessedAt: 0, ttlMs: 0, mustEndAt: 0, expiresAt: Number.NaN }
    return { id: captured.id, rev: '', prevRev: null, owner, ...instants, data: '' }
  }
}

function serialIn(cursor: string): number {
  const serial = decodeCursor(cursorTag, cursor)
  if (!/^\d{1,15}$/.test(serial)) throw new TypeError('cursor is not one of this listing: pass the cursor of the page before, unchanged')
  return Number(serial)
}
