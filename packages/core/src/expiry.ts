/** When what begins `now` began, was accessed last, and ends, in the fields of a session. */
export interface Lifetime {
  readonly createdAt: number
  readonly lastAccessedAt: number
  readonly ttlMs: number
  readonly mustEndAt: number
  readonly expiresAt: number
}

/** Of a session that begins now. */
export function lifetimeFrom(now: number, ttlMs: number, maxLifetimeMs: number): Lifetime {
  const mustEndAt = instantAfter(now, maxLifetimeMs)
  return { createdAt: now, lastAccessedAt: now, ttlMs, mustEndAt, expiresAt: expiryOf(now, ttlMs, mustEndAt) }
}

/** `expiresAt` of a session: min(lastAccessedAt + ttlMs, mustEndAt); sums beyond the safe integers are `Infinity`. */
export function expiryOf(lastAccessedAt: number, ttlMs: number, mustEndAt: number): number {
  return Math.min(instantAfter(lastAccessedAt, ttlMs), mustEndAt)
}

/** `at + ms`, or `Infinity` when that is no safe integer any more. */
export function instantAfter(at: number, ms: number): number {
  const sum = at + ms
  return sum > Number.MAX_SAFE_INTEGER ? Number.POSITIVE_INFINITY : sum
}

/** Whether a record is expired at `now`: at its deadline it is, one millisecond earlier it is not. */
export function isExpired(record: { readonly expiresAt: number }, now: number): boolean {
  return record.expiresAt <= now
}
