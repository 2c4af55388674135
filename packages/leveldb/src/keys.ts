/**
 * The layout of the store: every key, and the order of each kind. Ids are visible ASCII and no text holds a NUL, so that a NUL
 * ends what may have any length. Numbers are padded: their order as text is their order.
 */
export const schemaKey = '!mcp-session'

/** Everything about a session but its data. */
export function headKey(id: string): string {
  return `h${id}`
}

/** The data as it is; its checksum is in the head. */
export function dataKey(id: string): string {
  return `d${id}`
}

/** No value: the sweep reads these in the order of their instants. */
export function expiryKey(at: number, id: string): string {
  return `x${padded(at)}${id}`
}

/** No value: the sessions of an owner in the order of their ids. */
export function ownerKey(owner: string, id: string): string {
  return `o${owner}\0${id}`
}

/** Counts and bounds of a session's events. Absent: it never had any. */
export function logKey(id: string): string {
  return `l${id}`
}

export function eventKey(id: string, sequence: number): string {
  return `e${id}\0${padded(sequence)}`
}

/** The sequence that an event with this key of its writer has. */
export function writerKey(id: string, key: string): string {
  return `k${id}\0${key}`
}

/** Up to which sequence a stream was trimmed. */
export function trimKey(id: string, stream: string): string {
  return `t${id}\0${stream}`
}

/** All keys of one kind that belong to one session's events: `e`, `k` or `t`. */
export function eventRanges(id: string): { readonly gte: string; readonly lt: string }[] {
  return ['e', 'k', 't'].map((kind) => ({ gte: `${kind}${id}\0`, lt: `${kind}${id}\u0001` }))
}

/** The instant and the id in an expiry key. */
export function expiryOf(key: string): { readonly at: number; readonly id: string } {
  return { at: Number(key.slice(1, 1 + digits)), id: key.slice(1 + digits) }
}

export function sequenceOf(key: string): number {
  return Number(key.slice(-digits))
}

/** Greater than every key that begins with the same text. */
export const after = '\u{10ffff}'

const digits = 16

function padded(value: number): string {
  return String(value).padStart(digits, '0')
}
