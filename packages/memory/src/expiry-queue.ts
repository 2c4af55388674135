import type { Entry } from './entry.ts'
import { type HeapNode, heap } from './heap.ts'

/** Entries whose deadlines lie at `startAt` or later. Their order inside does not matter. */
export interface Bucket extends HeapNode {
  readonly startAt: number
  readonly entries: Entry[]
}

/** What {@link ExpiryQueue.take} found. */
export interface Taken {
  /** Expired entries, no longer in the queue. */
  readonly due: readonly Entry[]
  /** True: the visits ran out before it was clear whether more are due. */
  readonly more: boolean
}

/**
 * Finds expired entries without looking at the others. An entry is filed once, under a start that is no later than its
 * deadline; a later deadline is noticed when that bucket is opened, so a touch costs nothing here.
 */
export interface ExpiryQueue {
  /** Files an entry that is new, or whose deadline was rewritten. `Infinity` is not filed at all. */
  file(entry: Entry, now: number): void
  remove(entry: Entry): void
  /** Takes out at most `limit` entries with `expiresAt <= now`, looking at no more than `visits`. */
  take(now: number, limit: number, visits: number): Taken
  clear(): void
}

export function expiryQueue(): ExpiryQueue {
  const buckets = new Map<number, Bucket>()
  const order = heap<Bucket>((a, b) => a.startAt < b.startAt)

  function file(entry: Entry, now: number): void {
    if (entry.bucket !== undefined && entry.bucket.startAt <= entry.expiresAt) return
    remove(entry)
    if (entry.expiresAt === Number.POSITIVE_INFINITY) return
    const bucket = bucketAt(startOf(entry.expiresAt, now))
    entry.bucket = bucket
    entry.bucketSlot = bucket.entries.length
    bucket.entries.push(entry)
  }

  function bucketAt(startAt: number): Bucket {
    const known = buckets.get(startAt)
    if (known !== undefined) return known
    const bucket: Bucket = { startAt, entries: [], place: 0 }
    buckets.set(startAt, bucket)
    order.push(bucket)
    return bucket
  }

  function remove(entry: Entry): void {
    const bucket = entry.bucket
    if (bucket === undefined) return
    entry.bucket = undefined
    const last = bucket.entries.pop()
    if (last !== undefined && last !== entry) {
      bucket.entries[entry.bucketSlot] = last
      last.bucketSlot = entry.bucketSlot
    }
    if (bucket.entries.length > 0) return
    buckets.delete(bucket.startAt)
    order.remove(bucket)
  }

  function take(now: number, limit: number, visits: number): Taken {
    const due: Entry[] = []
    for (let visited = 0; due.length < limit; visited += 1) {
      const bucket = order.first()
      const entry = bucket !== undefined && bucket.startAt <= now ? bucket.entries.at(-1) : undefined
      if (entry === undefined) break
      if (visited === visits) return { due, more: true }
      remove(entry)
      if (entry.expiresAt <= now) due.push(entry)
      else file(entry, now)
    }
    return { due, more: false }
  }

  return {
    file,
    remove,
    take,
    clear: () => {
      buckets.clear()
      order.clear()
    },
  }
}

/**
 * Buckets are as wide as 1/512 to 1/256 of the time left: a few thousand of them hold any mix of deadlines, and an entry is
 * looked at about log256(ttl) times. The start is after `now` for a deadline after `now`, so filing again always advances.
 */
function startOf(expiresAt: number, now: number): number {
  const left = expiresAt - now
  if (left < 512) return expiresAt
  const width = 2 ** Math.floor(Math.log2(left / 256))
  return expiresAt - (expiresAt % width)
}
