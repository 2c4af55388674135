import { createHash, timingSafeEqual } from 'node:crypto'

const maxOwnerBytes = 1024

/** An owner that can be stored: null, or 1–1,024 bytes of well-formed text without NUL. */
export function checkOwner(owner: unknown, name = 'owner'): string | null {
  if (owner === null) return null
  if (typeof owner !== 'string') throw new TypeError(`${name} must be a string or null, got ${typeof owner}`)
  if (owner.length === 0 || Buffer.byteLength(owner) > maxOwnerBytes) {
    throw new RangeError(`${name} must have 1 to ${maxOwnerBytes} bytes, got ${Buffer.byteLength(owner)}`)
  }
  if (owner.includes('\0') || !isWellFormed(owner)) throw new RangeError(`${name} must be well-formed text without NUL`)
  return owner
}

/**
 * The owner that options name; `undefined` where they name none. An `owner` that is there and `undefined` is a `TypeError`: what
 * should have named a principal did not, and must not open everybody's sessions.
 */
export function givenOwner(options: object, name = 'owner'): { readonly owner: string | null } | undefined {
  if (!Object.hasOwn(options, name)) return undefined
  const owner: unknown = Reflect.get(options, name)
  if (owner === undefined) throw new TypeError(`${name} is undefined: leave it out for no check, or pass null for unowned sessions only`)
  return { owner: checkOwner(owner, name) }
}

/** Whether both name the same principal, in a time that does not tell where they differ. */
export function isSameOwner(a: string | null, b: string | null): boolean {
  return timingSafeEqual(digest(a), digest(b))
}

/** Whether the text has no lone surrogate. */
export function isWellFormed(text: string): boolean {
  return text.isWellFormed()
}

function digest(owner: string | null): Buffer {
  return createHash('sha256')
    .update(owner === null ? '' : `=${owner}`)
    .digest()
}
