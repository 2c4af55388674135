/** How long single calls took, in microseconds. */
export interface Latencies {
  readonly p50Us: number
  readonly p95Us: number
  readonly p99Us: number
  readonly maxUs: number
}

/** Of durations in milliseconds, at least one; sorts them in place. */
export function latenciesOf(durationsMs: number[]): Latencies {
  durationsMs.sort((a, b) => a - b)
  const at = (share: number) =>
    1_000 * (durationsMs[Math.min(durationsMs.length - 1, Math.floor(share * durationsMs.length))] ?? Number.NaN)
  return { p50Us: at(0.5), p95Us: at(0.95), p99Us: at(0.99), maxUs: at(1) }
}
