import { crc32 } from 'node:zlib'
import type { SessionRecord, StoredEvent } from '@mcp-session/core/backend'

// Reads the log of `file` by the layout in that package's README alone, so that a mistake in its own reader shows.

/** Of a segment. */
export const segmentHeaderBytes = 64
const frameHeaderBytes = 32

export interface FileFrame {
  /** `[at, end)` of its segment. */
  readonly at: number
  readonly end: number
  readonly number: number
  /** All frames up to that number were on disk when this one was written. */
  readonly synced: number
  readonly id: string
  readonly says: FrameContent
}

export type FrameContent =
  | { readonly what: 'create' | 'replace' | 'moved'; readonly record: SessionRecord }
  | { readonly what: 'touch'; readonly revSum: number; readonly lastAccessedAt: number; readonly expiresAt: number }
  | { readonly what: 'delete' }
  | {
      readonly what: 'events'
      readonly isWhole: boolean
      readonly last: number
      readonly dropped: readonly number[]
      readonly trimmed: readonly (readonly [stream: string, through: number])[]
      readonly events: readonly StoredEvent[]
    }

/** The CRC-32 of the secret, with which every checksum of a store begins. */
export function seedIn(segment: Buffer): number {
  return crc32(segment.subarray(18, 50))
}

/** The undamaged frames from the beginning of a segment on. */
export function framesOf(segment: Buffer): readonly FileFrame[] {
  const frames: FileFrame[] = []
  const seed = seedIn(segment)
  for (let at = segmentHeaderBytes; isHeadIntact(segment, at, seed); ) {
    const frame = frameAt(segment, at)
    if (frame.end > segment.length || dataSum(segment, at, seed) !== segment.readUInt32BE(at + 24)) break
    frames.push(frame)
    at = frame.end
  }
  return frames
}

function frameEnd(segment: Buffer, at: number): number {
  return dataAt(segment, at) + segment.readUInt32BE(at + 8)
}

export function isHeadIntact(segment: Buffer, at: number, seed: number): boolean {
  if (at + frameHeaderBytes > segment.length || segment[at] !== 0xff || dataAt(segment, at) > segment.length) return false
  return headSum(segment, at, seed) === segment.readUInt32BE(at + 28)
}

export function headSum(segment: Buffer, at: number, seed: number): number {
  return crc32(segment.subarray(at + frameHeaderBytes, dataAt(segment, at)), crc32(segment.subarray(at, at + 28), seed))
}

export function dataSum(segment: Buffer, at: number, seed: number): number {
  return crc32(segment.subarray(dataAt(segment, at), frameEnd(segment, at)), seed)
}

function dataAt(segment: Buffer, at: number): number {
  return at + frameHeaderBytes + segment.readUInt32BE(at + 4)
}

function frameAt(segment: Buffer, at: number): FileFrame {
  const end = frameEnd(segment, at)
  const head = fields(segment, at + frameHeaderBytes)
  const id = head.text(1)
  const places = { at, end, number: segment.readUIntBE(at + 12, 6), synced: segment.readUIntBE(at + 18, 6) }
  return { ...places, id, says: contentOf(segment[at + 1] ?? 0, id, head, segment.subarray(dataAt(segment, at), end)) }
}

function contentOf(type: number, id: string, head: Fields, data: Buffer): FrameContent {
  switch (type) {
    case 1:
      return { what: 'create', record: recordIn(id, head, data) }
    case 2:
      return { what: 'replace', record: recordIn(id, head, data) }
    case 3:
      return { what: 'moved', record: recordIn(id, head, data) }
    case 4:
      return { what: 'touch', revSum: head.whole(4), lastAccessedAt: head.double(), expiresAt: head.double() }
    case 5:
      return { what: 'delete' }
    case 6:
      return eventsIn(head, data)
    default:
      throw new RangeError(`The layout has no frame of type ${type}`)
  }
}

function recordIn(id: string, head: Fields, data: Buffer): SessionRecord {
  const rev = head.text(1)
  const prevRev = head.text(1)
  const owner = head.textOrNone()
  head.double()
  const instants = { createdAt: head.double(), lastAccessedAt: head.double(), ttlMs: head.double() }
  const ends = { mustEndAt: head.double(), expiresAt: head.double() }
  return { id, rev, prevRev: prevRev === '' ? null : prevRev, owner, ...instants, ...ends, data: data.toString() }
}

function eventsIn(head: Fields, data: Buffer): FrameContent {
  const isWhole = head.whole(1) === 1
  const last = head.double()
  head.double()
  const dropped = head.many(head.double)
  const trimmed = head.many(() => [head.text(2), head.double()] as const)
  let at = 0
  const events = head.many(() => {
    const event = { sequence: head.double(), createdAt: head.double(), key: head.text(1), stream: head.text(2) }
    const bytes = head.whole(4)
    at += bytes
    return { ...event, data: data.toString('utf8', at - bytes, at) }
  })
  return { what: 'events', isWhole, last, dropped, trimmed, events }
}

type Fields = ReturnType<typeof fields>

/** Takes one field after the other. */
function fields(bytes: Buffer, from: number) {
  let at = from
  function whole(size: number): number {
    at += size
    return bytes.readUIntBE(at - size, size)
  }
  function chars(length: number): string {
    at += length
    return bytes.toString('utf8', at - length, at)
  }
  return {
    whole,
    double(): number {
      at += 8
      return bytes.readDoubleBE(at - 8)
    },
    /** Behind its length, of so many bytes. */
    text: (size: number): string => chars(whole(size)),
    textOrNone(): string | null {
      const length = whole(2)
      return length === 0xffff ? null : chars(length)
    },
    many: <T>(read: () => T): T[] => Array.from({ length: whole(4) }, read),
  }
}
