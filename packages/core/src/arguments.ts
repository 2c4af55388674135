const mostNumber = Number.MAX_SAFE_INTEGER

/** What an argument must be: a `TypeError` or a `RangeError` names it. */
export function checkString(value: unknown, name: string): string {
  if (typeof value === 'string') return value
  throw new TypeError(`${name} must be a string, got ${kindOf(value)}`)
}

/** Text that every engine can keep. */
export function checkPlainText(value: unknown, name: string): string {
  const text = checkString(value, name)
  if (isPlainText(text)) return text
  throw new RangeError(`${name} must be well-formed text without NUL`)
}

/** Of `size`, in `unit`. */
export function checkSize(size: number, name: string, most: number, unit: 'bytes' | 'characters'): void {
  if (size < 1 || size > most) throw new RangeError(`${name} must have 1 to ${most} ${unit}, got ${size}`)
}

/** Whether a text has neither a lone surrogate nor a NUL. */
export function isPlainText(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0')
}

export function checkFunction<F>(value: F, name: string): F {
  if (typeof value === 'function') return value
  throw new TypeError(`${name} must be a function, got ${kindOf(value)}`)
}

/** A duration of a session in milliseconds: a safe integer from 0, or `Infinity`. */
export function checkDurationMs(value: unknown, name: string): number {
  return value === Number.POSITIVE_INFINITY ? value : checkInteger(value, name, 0, mostNumber, 'of milliseconds from 0, or Infinity')
}

/** A whole number in a range, both ends included. */
export function checkWholeNumber(value: unknown, name: string, min: number, max: number = mostNumber): number {
  return checkInteger(value, name, min, max, `from ${min} to ${max}`)
}

function checkInteger(value: unknown, name: string, min: number, max: number, range: string): number {
  if (typeof value !== 'number') {
    throw new TypeError(`${name} must be a number, got ${typeof value === 'string' ? JSON.stringify(value.slice(0, 40)) : kindOf(value)}`)
  }
  if (Number.isSafeInteger(value) && value >= min && value <= max) return value === 0 ? 0 : value
  throw new RangeError(`${name} must be an integer ${range}, got ${value}`)
}

/** As a message names it. */
export function kindOf(value: unknown): string {
  return value === null ? 'null' : typeof value
}
