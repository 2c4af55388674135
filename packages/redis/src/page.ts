import type { Call, ListPage, ListQuery, SessionRecord } from '@mcp-session/core/backend'
import type { Keys } from './keys.ts'
import { listedRecordOf } from './record-value.ts'
import type { Values } from './values.ts'

/** A page that is being filled with live records, up to `limit` of them and 4 MiB of data. */
export interface Page {
  /** Looks at ids; says which of them are live and wanted, and how many bytes of data each has at most. */
  look(ids: readonly string[]): Promise<readonly Found[]>
  /** Whether these fit as well. The first record of a page always does. */
  fits(found: readonly Found[]): boolean
  /** Takes them, and reads their data if that is wanted. */
  take(found: readonly Found[]): Promise<void>
  /** Records that fit still. */
  room(): number
  isEmpty(): boolean
  readonly records: ListPage['records']
}

export interface Found {
  readonly id: string
  readonly record: SessionRecord
  readonly bytes: number
}

const maxPageBytes = 4 * 1024 * 1024

export function page(values: Values, keys: Keys, query: ListQuery, call: Call): Page {
  const records: SessionRecord[] = []
  let bytes = 0
  let taken = 0

  async function look(ids: readonly string[]): Promise<Found[]> {
    const heads = await values.heads(
      ids.map((id) => keys.record(id)),
      call,
    )
    return ids.flatMap((id, n) => {
      const head = heads[n]
      if (head === undefined || head.text === '') return []
      const record = { ...listedRecordOf(id, head.text), data: '' }
      return isWanted(record) ? [{ id, record, bytes: head.bytes }] : []
    })
  }

  /** A damaged record is listed, so that the store can name it; of an owner's, only where it still says so. */
  function isWanted({ id, owner, expiresAt }: SessionRecord): boolean {
    if (query.prefix !== undefined && !id.startsWith(query.prefix)) return false
    if (Number.isNaN(expiresAt)) return true
    return expiresAt > call.now && (query.owner === undefined || owner === query.owner)
  }

  async function withData(found: readonly Found[]): Promise<SessionRecord[]> {
    const whole = await values.getAll(
      found.map(({ id }) => keys.record(id)),
      call,
    )
    return found.flatMap(({ id }, n) => {
      const value = whole[n]
      const record = value === undefined ? undefined : listedRecordOf(id, value)
      return record !== undefined && isWanted(record) ? [record] : []
    })
  }

  return {
    look,
    fits(found) {
      if (taken + found.length > query.limit) return false
      if (query.data === false || taken + found.length <= 1) return true
      return bytes + sizeOf(found) <= maxPageBytes
    },
    async take(found) {
      taken += found.length
      bytes += sizeOf(found)
      const more = query.data === false ? found.map(({ record }) => record) : await withData(found)
      records.push(...more)
    },
    room: () => query.limit - taken,
    isEmpty: () => taken === 0,
    records,
  }
}

function sizeOf(found: readonly Found[]): number {
  return found.reduce((sum, { bytes }) => sum + bytes, 0)
}
