/**
 * Opaque cursors: a short tag that names the listing, and the position, as base64url. They hold no secrets (a position is
 * never a session id that another principal could use) and work in any process that has the same store.
 */
export function encodeCursor(tag: string, position: string): string {
  return Buffer.from(`${tag}\n${position}`, 'utf8').toString('base64url')
}

/** The position in a cursor of that tag. A `TypeError` for anything that {@link encodeCursor} did not make for it. */
export function decodeCursor(tag: string, cursor: unknown): string {
  if (typeof cursor !== 'string') throw new TypeError(`cursor must be a string from a page of this listing, got ${typeof cursor}`)
  const text = Buffer.from(cursor, 'base64url').toString('utf8')
  if (!text.startsWith(`${tag}\n`) || encodeCursor(tag, text.slice(tag.length + 1)) !== cursor) {
    throw new TypeError('cursor is not one of this listing: pass the cursor of the page before, unchanged')
  }
  return text.slice(tag.length + 1)
}
