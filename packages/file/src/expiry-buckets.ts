import { type NumberColumn, numberColumn } from './columns.ts'

/**
 * Finds expired rows without looking at the others. A row is filed under a start that is no later than its deadline; a later
 * deadline is noticed when that bucket is opened, so that a touch costs nothing here.
 */
export interface ExpiryBuckets {
  /** Files a row that is new, or whose deadline was rewritten. `Infinity` is not filed at all. */
  file(row: number, expiresAt: number, now: number): void
  forget(row: number): void
  /**
   * Expired rows, at most `limit`, without those to `skip`; rows that are not due any more are filed again. It looks at no more than
   * `visits` rows. `more`: it did not see all that may be due.
   */
  due(now: number, limit: number, visits: number, skip: (row: number) => boolean): { readonly rows: number[]; readonly more: boolean }
}

const notFiled = 0
/** Rows that left are dropped with their bucket; beyond this share all buckets are made anew. */
const maxStaleShare = 2

export function expiryBuckets(expiresAt: Pick<NumberColumn, 'at'>): ExpiryBuckets {
  let buckets = new Map<number, number[]>()
  const startOfRow = numberColumn()
  let entries = 0
  let live = 0

  function put(row: number, start: number): void {
    startOfRow.set(row, start)
    const bucket = buckets.get(start)
    if (bucket === undefined) buckets.set(start, [row])
    else bucket.push(row)
    entries += 1
    live += 1
  }

  function forget(row: number): void {
    if (startOfRow.at(row) === notFiled) return
    startOfRow.set(row, notFiled)
    live -= 1
  }

  function refile(row: number, deadline: number, now: number): void {
    forget(row)
    if (deadline !== Number.POSITIVE_INFINITY) put(row, startOf(deadline, now))
  }

  function tidy(): void {
    if (entries <= maxStaleShare * live + 1_024) return
    const old = buckets
    buckets = new Map()
    entries = 0
    live = 0
    for (const [start, rows] of old) {
      // A row that left this bucket and came back stands here twice: it is taken once.
      for (const row of new Set(rows)) {
        if (startOfRow.at(row) === start) put(row, start)
      }
    }
  }

  return {
    file(row, deadline, now) {
      const known = startOfRow.at(row)
      if (known !== notFiled && known <= deadline) return
      refile(row, deadline, now)
      tidy()
    },
    forget,
    due(now, limit, visits, skip) {
      const found: number[] = []
      let left = visits
      for (const [start, rows] of buckets) {
        if (start > now) continue
        if (found.length >= limit || left === 0) break
        left -= open(start, rows, { now, limit, visits: left, skip }, found)
      }
      return { rows: found, more: left === 0 }
    },
  }

  /** Adds expired rows of a bucket to `found`, and gives how many rows it looked at. */
  function open(start: number, rows: number[], { now, limit, visits, skip }: Search, found: number[]): number {
    // A row that left this bucket and came back stands in it twice.
    const kept = new Set<number>()
    const before = rows.length
    while (rows.length > 0 && found.length < limit && before - rows.length < visits) {
      const row = rows.pop() ?? -1
      if (startOfRow.at(row) !== start || kept.has(row)) continue
      const deadline = expiresAt.at(row)
      // It stays filed until it is really deleted: a failed write must not lose sight of it.
      if (deadline <= now) kept.add(row)
      if (deadline > now) refile(row, deadline, now)
      else if (!skip(row)) found.push(row)
    }
    const visited = before - rows.length
    rows.push(...kept)
    entries += kept.size - visited
    if (rows.length === 0) buckets.delete(start)
    return visited
  }
}

interface Search {
  readonly now: number
  readonly limit: number
  readonly visits: number
  readonly skip: (row: number) => boolean
}

/**
 * Buckets are as wide as 1/512 to 1/256 of the time left: a few thousand of them hold any mix of deadlines. The start lies after
 * `now` for a deadline after `now`, so that filing again always advances. 0 is no start.
 */
function startOf(deadline: number, now: number): number {
  const left = deadline - now
  const width = left < 512 ? 1 : 2 ** Math.floor(Math.log2(left / 256))
  return deadline - (deadline % width) || -1
}
