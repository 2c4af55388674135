import { hash, timingSafeEqual } from 'node:crypto'
import { checkPlainText, checkSize } from './arguments.ts'

const maxOwnerBytes = 1024

/** An owner that can be stored: null, or 1–1,024 bytes of well-formed text without NUL. */
export function checkOwner(owner: unknown, name = 'owner'): string | null {
  if (owner === null) return null
  if (typeof owner !== 'string') throw new TypeError(`${name} must be a string or null, got ${typeof owner}`)
  checkSize(Buffer.byteLength(owner), name, maxOwnerBytes, 'bytes')
  return checkPlainText(owner, name)
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

function digest(owner: string | null): Buffer {
  return hash('sha256', owner === null ? '' : `=${owner}`, 'buffer')
}
