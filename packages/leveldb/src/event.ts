import type { StoredEvent } from '@mcp-session/core/backend'
import { eventKey, sequenceOf } from './keys.ts'
import { seal, unseal } from './sealed.ts'

/** What trimming looks at. */
export interface KeptEvent extends StoredEvent {
  readonly bytes: number
}

export function formatEvent(sessionId: string, { key, stream, createdAt, data, sequence }: StoredEvent): string {
  // The head is JSON, which spells a NUL in another way: the first NUL ends it.
  return seal(eventKey(sessionId, sequence), `${JSON.stringify([key, stream, createdAt, Buffer.byteLength(data)])}\0${data}`)
}

/** The event in a value; `undefined` where it is not what was written. */
export function parseEvent(storedUnder: string, value: string): KeptEvent | undefined {
  const text = unseal(storedUnder, value)
  if (text === undefined) return undefined
  const end = text.indexOf('\0')
  const items: unknown = JSON.parse(text.slice(0, end))
  const [key, stream, createdAt, bytes] = Array.isArray(items) ? items : []
  return {
    key: String(key),
    stream: String(stream),
    createdAt: Number(createdAt),
    bytes: Number(bytes),
    sequence: sequenceOf(storedUnder),
    data: text.slice(end + 1),
  }
}

export function isInternal(stream: string): boolean {
  return stream.startsWith('!')
}
