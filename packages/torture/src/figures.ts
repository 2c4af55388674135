/** Median, 95th percentile and maximum of times in milliseconds, rounded, as keys of a line: `<name>P50`, `<name>P95`, `<name>Max`. */
export function spread(name: string, times: readonly number[]): Record<string, number> {
  if (times.length === 0) return {}
  const sorted = [...times].sort((a, b) => a - b)
  const at = (share: number) => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0)
  return { [`${name}P50`]: at(0.5), [`${name}P95`]: at(0.95), [`${name}Max`]: at(1) }
}

/** How many are beyond a bar. */
export function beyond(times: readonly number[], bar: number): number {
  return times.filter((time) => time > bar).length
}
