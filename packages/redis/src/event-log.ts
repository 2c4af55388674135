import { crc32 } from 'node:zlib'
import type { Call, EventLog, EventPage, EventQuery, NewEvent, Retention, StoredEvent } from '@mcp-session/core/backend'
import type { Keys } from './keys.ts'
import type { Lane, Outcome } from './lane.ts'
import { damaged } from './record-value.ts'

/** The events of sessions, each in the slot of its session. `writes` is the lane of the records: what is written to a session keeps its order. */
export function eventLog(keys: Keys, writes: Lane, reads: Lane): EventLog {
  async function write(name: string, id: string, args: readonly string[], call: Call): Promise<Outcome> {
    return sound(id, await writes.run({ of: id, name, key: keys.record(id), args: [String(call.now), ...args] }, call))
  }

  async function append(id: string, { key, stream, data }: NewEvent, retention: Retention, call: Call): Promise<number | undefined> {
    const { maxEvents, maxBytes, maxAgeMs, maxInternalAgeMs = Number.POSITIVE_INFINITY } = retention
    const bounds = [bound(maxEvents), bound(maxBytes), bound(call.now - maxAgeMs), bound(call.now - maxInternalAgeMs)]
    const bytes = byteLength(data)
    const sum = sumOf(id, String(call.now), bytes, key, stream)
    const [word, sequence] = await write('append', id, [key, stream, data, bytes, sum, ...bounds], call)
    return word === 'missing' ? undefined : Number(sequence)
  }

  async function read(id: string, query: EventQuery, call: Call): Promise<EventPage | undefined> {
    const { after, limit, maxAgeMs, streams = [] } = query
    const args = [String(call.now), String(after), String(limit), bound(call.now - maxAgeMs), ...streams]
    for (;;) {
      const [word, last, trimmed, parts] = sound(id, await reads.run({ name: 'events', key: keys.record(id), args }, call))
      if (word === 'missing') return undefined
      if (word === 'page') return pageOf(id, parts as string[], Number(last), trimmed === '1')
    }
  }

  async function restore(id: string, page: EventPage, call: Call): Promise<boolean> {
    const last = Math.max(page.last, page.events.at(-1)?.sequence ?? 0)
    const events = page.events.flatMap(({ sequence, createdAt, key, stream, data }) => [
      String(sequence),
      String(createdAt),
      byteLength(data),
      sumOf(id, String(createdAt), byteLength(data), key, stream),
      key,
      stream,
      data,
    ])
    const [word] = await write('restore', id, [String(last), String(page.trimmed ? newestMissing(page) : 0), ...events], call)
    return word === 'restored'
  }

  return { append, read, restore }
}

function sound(id: string, outcome: Outcome): Outcome {
  if (outcome[0] === 'damaged') throw damaged(id)
  return outcome
}

/** Empty: no such bound. */
function bound(value: number): string {
  return Number.isFinite(value) ? String(value) : ''
}

function byteLength(data: string): string {
  return String(Buffer.byteLength(data))
}

/** Over what the store's own checksum of an event does not know. The sequence stands in two places, which must agree. */
function sumOf(id: string, createdAt: string, bytes: string, key: string, stream: string): string {
  return crc32([id, createdAt, bytes, key, stream].join('\0')).toString(16).padStart(8, '0')
}

/** A damaged event is skipped, and counts as trimmed. */
function pageOf(id: string, parts: readonly string[], last: number, trimmed: boolean): EventPage {
  const events: StoredEvent[] = []
  for (let at = 0; at < parts.length; at += 7) {
    const [sequence, createdAt = '', bytes = '', sum, key = '', stream = '', data = ''] = parts.slice(at, at + 7)
    if (sum !== sumOf(id, createdAt, bytes, key, stream)) continue
    events.push({ sequence: Number(sequence), createdAt: Number(createdAt), key, stream, data })
  }
  return { events, last, trimmed: trimmed || events.length < parts.length / 7 }
}

/** The greatest sequence that a page skips; in a page without events, all up to its `last`. */
function newestMissing(page: EventPage): number {
  const present = new Set(page.events.map((event) => event.sequence))
  let sequence = page.events.at(-1)?.sequence ?? page.last
  while (present.has(sequence)) sequence -= 1
  return sequence
}
