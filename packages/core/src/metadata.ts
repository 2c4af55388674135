import { kindOf } from './arguments.ts'

/** An object that can be metadata; what is in it, a walk tells. */
export function checkMetadata(value: unknown): object {
  if (isKeyed(value) && isPlainObject(value)) return value
  throw new TypeError(`metadata must be a plain object, got ${Array.isArray(value) ? 'an array' : kindOf(value)}`)
}

/** An object that is no array. */
export function isKeyed(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
