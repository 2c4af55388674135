/** How many sessions may be made in a time. */
export interface CreateRate {
  /** Sessions at once, and per `perMs`. */
  readonly sessions: number
  readonly perMs: number
}

/** A bucket per principal, on this node; anonymous clients share one. */
export interface CreateLimit {
  /** 0: go on. Otherwise the milliseconds until one more may be made. */
  waitMs(owner: string | null): number
  /** Buckets in memory: full ones are forgotten. */
  size(): number
}

interface Bucket {
  left: number
  filledAt: number
}

export function createLimit(rate: CreateRate | undefined, now: () => number): CreateLimit {
  const buckets = new Map<string | null, Bucket>()
  const { sessions, perMs } = rate ?? { sessions: Number.POSITIVE_INFINITY, perMs: 1 }
  const perMillisecond = sessions / perMs
  let sweepAt = 1_024

  function fill(bucket: Bucket, at: number): void {
    // A clock that goes back fills nothing, and takes nothing away.
    bucket.left = Math.min(sessions, bucket.left + Math.max(0, at - bucket.filledAt) * perMillisecond)
    bucket.filledAt = at
  }

  function sweep(at: number): void {
    for (const [owner, bucket] of buckets) {
      fill(bucket, at)
      if (bucket.left >= sessions) buckets.delete(owner)
    }
    sweepAt = Math.max(1_024, buckets.size * 2)
  }

  return {
    waitMs(owner) {
      if (rate === undefined) return 0
      const at = now()
      const bucket = buckets.get(owner) ?? { left: sessions, filledAt: at }
      fill(bucket, at)
      if (bucket.left < 1) return Math.ceil((1 - bucket.left) / perMillisecond)
      bucket.left -= 1
      buckets.set(owner, bucket)
      if (buckets.size > sweepAt) sweep(at)
      return 0
    },
    size: () => buckets.size,
  }
}
