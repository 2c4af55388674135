import { crc32 } from 'node:zlib'
import type { SessionBackend, SessionRecord, StoredEvent } from '@mcp-session/core/backend'
import { diskCall } from './disk-states.ts'
import type { FileFrame } from './file-frames.ts'

/** All that there is of one session; `null`: no such session. */
export type WholeState = { readonly record: SessionRecord; readonly events: readonly StoredEvent[]; readonly last: number } | null

/** What is left of a session by its frames, in their order. */
export function stateAfter(frames: readonly FileFrame[]): WholeState {
  let record: SessionRecord | undefined
  let events = new Map<number, StoredEvent>()
  let last = 0
  for (const { says } of frames) {
    if (says.what === 'create' || says.what === 'delete') {
      events = new Map()
      last = 0
    }
    if (says.what === 'delete') record = undefined
    else if (says.what === 'touch') {
      if (record !== undefined && crc32(record.rev) === says.revSum) record = later(record, says)
    } else if (says.what === 'events') {
      for (const sequence of says.dropped) events.delete(sequence)
      for (const event of says.events) events.set(event.sequence, event)
      last = Math.max(last, says.last)
    } else record = says.record
  }
  if (record === undefined) return null
  return { record, events: [...events.values()].toSorted((one, other) => one.sequence - other.sequence), last }
}

/** The same by asking a store, `trimmed` beside it. */
export async function askState(backend: SessionBackend, id: string): Promise<{ readonly state: WholeState; readonly trimmed: boolean }> {
  const record = await backend.get(id, diskCall())
  const page = await backend.events?.read(id, { after: 0, limit: 1_000, maxAgeMs: Number.POSITIVE_INFINITY }, diskCall())
  if (record === undefined) return { state: null, trimmed: page !== undefined }
  return { state: { record, events: page?.events ?? [], last: page?.last ?? 0 }, trimmed: page?.trimmed ?? false }
}

function later(record: SessionRecord, touch: { readonly lastAccessedAt: number; readonly expiresAt: number }): SessionRecord {
  const lastAccessedAt = Math.max(record.lastAccessedAt, touch.lastAccessedAt)
  return { ...record, lastAccessedAt, expiresAt: Math.max(record.expiresAt, touch.expiresAt) }
}
