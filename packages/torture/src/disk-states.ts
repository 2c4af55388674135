import type { Call, SessionBackend, SessionRecord } from '@mcp-session/core/backend'

/** What there is of one session: its rev, its last access, and how many events it got since it was created. `null`: no such session. */
export type DiskState = { readonly rev: string; readonly at: number; readonly events: number } | null

/** Before any session ends; what expired stays visible to it until a sweep took it. */
export const epoch = 1_000
/** A session that a sweep will take ends here, long ago on every clock. */
export const sweptAt = 1_000_000
/** Events that a session keeps. */
export const keptEvents = 4

/** A call that nothing cuts short. */
export function diskCall(now: number = epoch): Call {
  return { now, deadlineAt: Number.POSITIVE_INFINITY }
}

/** The record that a rev names: everything in it follows from its arguments, so that a wrong byte shows. */
export function recordOf(id: string, rev: string, prevRev: string | null, at: number, expiresAt: number): SessionRecord {
  const lasting = { owner: `owner of ${id}`, createdAt: epoch, ttlMs: Number.POSITIVE_INFINITY, mustEndAt: expiresAt }
  return { id, rev, prevRev, ...lasting, lastAccessedAt: at, expiresAt, data: contentOfRev(rev) }
}

export function contentOfRev(rev: string): string {
  let sum = 7
  for (const character of rev) sum = (sum * 31 + character.charCodeAt(0)) % 65_521
  return `{"rev":"${rev}","filler":"${'x'.repeat(sum % 700)}"}`
}

export function eventOf(id: string, n: number): { readonly key: string; readonly stream: string; readonly data: string } {
  return { key: `${id}.${n}`, stream: `stream ${n % 3}`, data: `event ${n} of ${id}` }
}

/** What a store says of a session. Throws what reading throws, and where bytes are wrong. */
export async function readState(backend: SessionBackend, id: string): Promise<DiskState> {
  const record = await backend.get(id, diskCall())
  const page = await backend.events?.read(id, { after: 0, limit: 1_000, maxAgeMs: Number.POSITIVE_INFINITY }, diskCall())
  if (record === undefined) {
    if (page !== undefined) throw new Error(`${id} is gone, and its events are there`)
    return null
  }
  if (record.data !== contentOfRev(record.rev)) throw new Error(`${id} has content that nobody wrote with its rev ${record.rev}`)
  if (record.owner !== `owner of ${id}`) throw new Error(`${id} has the owner ${record.owner}`)
  const numbers = (page?.events ?? []).map((event) => {
    const n = Number(event.key.slice(id.length + 1))
    const wanted = eventOf(id, n)
    if (event.key !== wanted.key || event.stream !== wanted.stream || event.data !== wanted.data) {
      throw new Error(`${id} has an event that nobody appended: ${JSON.stringify(event)}`)
    }
    return n
  })
  const last = numbers.at(-1) ?? 0
  const first = last - numbers.length + 1
  if (numbers.some((n, place) => n !== first + place)) throw new Error(`${id} has the events ${numbers.join()}`)
  if (numbers.length < Math.min(last, keptEvents)) throw new Error(`${id} has lost events: it has ${numbers.join()}`)
  return { rev: record.rev, at: record.lastAccessedAt, events: last }
}

export function isSameState(one: DiskState, other: DiskState): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}
