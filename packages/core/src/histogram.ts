/** Latencies in milliseconds; all 0 where nothing was recorded. Quantiles are exact to 7 %. */
export interface LatencySummary {
  readonly count: number
  readonly p50Ms: number
  readonly p95Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

export interface Histogram {
  record(durationMs: number): void
  summary(): LatencySummary
}

const perOctave = 10
const smallestMs = 0.0001

/** Counts in buckets that grow by 2^(1/10), from 100 ns: constant memory, one logarithm per record. */
export function histogram(): Histogram {
  const buckets = new Uint32Array(perOctave * 32)
  let count = 0
  let maxMs = 0

  function quantile(share: number): number {
    let left = Math.ceil(count * share)
    for (const [bucket, recorded] of buckets.entries()) {
      left -= recorded
      if (left <= 0 && recorded > 0) return Math.min(maxMs, smallestMs * 2 ** ((bucket + 0.5) / perOctave))
    }
    return maxMs
  }

  return {
    record(durationMs) {
      const bucket = Math.floor(Math.log2(durationMs / smallestMs) * perOctave)
      const index = Math.min(Math.max(bucket, 0) || 0, buckets.length - 1)
      buckets[index] = (buckets[index] ?? 0) + 1
      count += 1
      if (durationMs > maxMs) maxMs = durationMs
    },
    summary: () => ({ count, p50Ms: quantile(0.5), p95Ms: quantile(0.95), p99Ms: quantile(0.99), maxMs }),
  }
}
