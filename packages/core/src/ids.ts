import { randomFillSync } from 'node:crypto'
import { checkString } from './arguments.ts'

const kindPattern = /^!?[a-z][a-z0-9]{0,15}$/
export const visibleAscii: RegExp = /^[\x21-\x7e]{1,255}$/
const idBytes = 32

/** `kind`, if it can be one: `[a-z][a-z0-9]{0,15}`, internal ones after a `!`. */
export function checkKind(kind: unknown): string {
  if (!kindPattern.test(checkString(kind, 'kind'))) throw new RangeError(`kind must match [a-z][a-z0-9]{0,15}, got ${JSON.stringify(kind)}`)
  return kind as string
}

/** Whether an id can name something of that kind. A non-string is a `TypeError`: a programmer mistake, not a stranger's. */
export function isIdOfKind(kind: string, id: unknown): id is string {
  const text = checkString(id, 'id')
  return text.length > kind.length + 1 && text.startsWith(kind) && text[kind.length] === '_' && visibleAscii.test(text)
}

/** Makes ids of `<kind>_<43 characters>`: 256 random bits as base64url, taken from the system's generator in pages. */
export function idMint(kind: string): () => string {
  const page = Buffer.alloc(idBytes * 64)
  let used = page.length
  return () => {
    if (used === page.length) {
      randomFillSync(page)
      used = 0
    }
    used += idBytes
    return `${kind}_${page.toString('base64url', used - idBytes, used)}`
  }
}

/** Makes revs and event keys: 96 random bits for this maker and a counter, so that none is ever repeated anywhere. */
export function revMint(): () => string {
  const maker = randomFillSync(Buffer.alloc(12)).toString('base64url')
  let made = 0
  return () => {
    made += 1
    return `${maker}.${made.toString(36)}`
  }
}

/** Two flipped bits at least from any minted rev: one must not turn a live session into one that is not found. */
const rotatedMark = '!!'

/** The rev of a record that was rotated away: it stands under the old id until it is deleted, and counts as not found. */
export function rotatedRev(rev: string): string {
  return rotatedMark + rev
}

export function isRotated(record: { readonly rev: string }): boolean {
  return record.rev.startsWith(rotatedMark)
}
