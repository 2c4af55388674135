/** A duration of a session in milliseconds: a safe integer from 0, or `Infinity`. */
export function checkDurationMs(value: unknown, name: string): number {
  if (typeof value !== 'number') throw new TypeError(`${name} must be a number of milliseconds, got ${describe(value)}`)
  if (value === Number.POSITIVE_INFINITY) return value
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new RangeError(`${name} must be an integer of milliseconds from 0, or Infinity, got ${value}`)
  }
  return value === 0 ? 0 : value
}

/** A whole number in a range, both ends included. */
export function checkWholeNumber(value: unknown, name: string, min: number, max: number): number {
  if (typeof value !== 'number') throw new TypeError(`${name} must be a number, got ${describe(value)}`)
  if (!Number.isSafeInteger(value) || value < min || value > max) {
    throw new RangeError(`${name} must be an integer from ${min} to ${max}, got ${value}`)
  }
  return value
}

function describe(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value.slice(0, 40)) : value === null ? 'null' : typeof value
}
