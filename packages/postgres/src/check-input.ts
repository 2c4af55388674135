import type { EventPage, NewEvent, SessionRecord, Touch } from '@mcp-session/core/backend'

/** What the engine would refuse for all calls of a flush, or store as something else. A `TypeError` before anything is sent. */
export function checkRecord(record: SessionRecord): void {
  checkText('id', record.id)
  checkText('rev', record.rev)
  if (record.prevRev !== null) checkText('prevRev', record.prevRev)
  if (record.owner !== null) checkText('owner', record.owner)
  checkText('data', record.data)
  checkInstant('createdAt', record.createdAt)
  checkInstant('lastAccessedAt', record.lastAccessedAt)
  checkInstant('ttlMs', record.ttlMs)
  checkInstant('mustEndAt', record.mustEndAt)
  checkInstant('expiresAt', record.expiresAt)
}

export function checkTouch(touch: Touch): void {
  checkText('id', touch.id)
  checkText('rev', touch.rev)
  checkInstant('lastAccessedAt', touch.lastAccessedAt)
  checkInstant('expiresAt', touch.expiresAt)
}

export function checkEvent(event: NewEvent): void {
  checkText('key', event.key)
  checkText('stream', event.stream)
  checkText('data', event.data)
}

export function checkPage(page: EventPage): void {
  for (const event of page.events) {
    checkEvent(event)
    checkInstant('sequence', event.sequence)
    checkInstant('createdAt', event.createdAt)
  }
  checkInstant('last', page.last)
}

export function checkText(name: string, text: unknown): void {
  if (typeof text !== 'string') throw new TypeError(`${name} must be a string, got ${text === null ? 'null' : typeof text}`)
  if (text.includes('\0')) throw new TypeError(`${name} must not hold a NUL, which postgres cannot store`)
  if (!text.isWellFormed()) throw new TypeError(`${name} must be well-formed Unicode, it has a lone surrogate`)
}

function checkInstant(name: string, instant: unknown): void {
  if (instant === Number.POSITIVE_INFINITY || Number.isSafeInteger(instant)) return
  throw new TypeError(`${name} must be a safe integer or Infinity, got ${typeof instant}`)
}
