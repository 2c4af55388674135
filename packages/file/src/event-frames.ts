import type { StoredEvent } from '@mcp-session/core/backend'
import { frameType, headerBytes, newFrame } from './frame.ts'

/** What a frame of events says of the log of its session. */
export interface EventsHead {
  readonly id: string
  /** Whether `last`, `goneThrough` and `gone` are all that is known: frames before this one are not needed for them. */
  readonly whole: boolean
  /** The newest sequence of the session. */
  readonly last: number
  /** Events up to here are gone, nobody knows of which streams. */
  readonly goneThrough: number
  /** Sequences of events that are trimmed by this frame. */
  readonly dropped: readonly number[]
  /** The newest trimmed sequence of streams. */
  readonly gone: readonly (readonly [stream: string, sequence: number])[]
}

/** An event in a frame: `at` is the offset of its data in the frame. */
export interface EventHead extends Omit<StoredEvent, 'data'> {
  readonly at: number
  readonly bytes: number
}

/** `data` as text, or as the bytes of one. */
export type WrittenEvent = Omit<StoredEvent, 'data'> & { readonly data: string | Buffer }

export function eventsFrame(head: EventsHead, events: readonly WrittenEvent[]): Buffer {
  const gone = head.gone.map(([stream, sequence]) => ({ stream: Buffer.from(stream), sequence }))
  const written = events.map((event) => ({ ...event, stream: Buffer.from(event.stream), data: Buffer.from(event.data) }))
  const headBytes =
    2 +
    head.id.length +
    16 +
    12 +
    8 * head.dropped.length +
    gone.reduce((sum, { stream }) => sum + 2 + stream.length + 8, 0) +
    written.reduce((sum, { key, stream }) => sum + 16 + 1 + key.length + 2 + stream.length + 4, 0)
  const frame = newFrame(
    frameType.events,
    headBytes,
    written.reduce((sum, { data }) => sum + data.length, 0),
  )
  let at = headerBytes
  frame[at] = head.id.length
  at += 1 + frame.write(head.id, at + 1, 'latin1')
  at = frame.writeUInt8(head.whole ? 1 : 0, at)
  at = frame.writeDoubleBE(head.last, at)
  at = frame.writeDoubleBE(head.goneThrough, at)
  at = frame.writeUInt32BE(head.dropped.length, at)
  for (const sequence of head.dropped) at = frame.writeDoubleBE(sequence, at)
  at = frame.writeUInt32BE(gone.length, at)
  for (const { stream, sequence } of gone) {
    at = frame.writeUInt16BE(stream.length, at)
    at += stream.copy(frame, at)
    at = frame.writeDoubleBE(sequence, at)
  }
  at = frame.writeUInt32BE(written.length, at)
  for (const { sequence, createdAt, key, stream, data } of written) {
    at = frame.writeDoubleBE(sequence, at)
    at = frame.writeDoubleBE(createdAt, at)
    frame[at] = key.length
    at += 1 + frame.write(key, at + 1, 'latin1')
    at = frame.writeUInt16BE(stream.length, at)
    at += stream.copy(frame, at)
    at = frame.writeUInt32BE(data.length, at)
  }
  for (const { data } of written) at += data.copy(frame, at)
  return frame
}

/** `at`: where the frame begins in `bytes`. */
export function readEventsFrame(bytes: Buffer, at: number): { readonly head: EventsHead; readonly events: readonly EventHead[] } {
  let next = at + headerBytes
  const take = (length: number): number => {
    next += length
    return next - length
  }
  const number = (): number => bytes.readDoubleBE(take(8))
  const stream = (): string => {
    const length = bytes.readUInt16BE(take(2))
    return bytes.toString('utf8', take(length), next)
  }
  const key = (): string => {
    const length = bytes[take(1)] ?? 0
    return bytes.toString('latin1', take(length), next)
  }
  const many = <T>(read: () => T): T[] => Array.from({ length: bytes.readUInt32BE(take(4)) }, read)

  const head: EventsHead = {
    id: key(),
    whole: bytes[take(1)] === 1,
    last: number(),
    goneThrough: number(),
    dropped: many(number),
    gone: many(() => [stream(), number()] as const),
  }
  let dataAt = headerBytes + bytes.readUInt32BE(at + 4)
  const events = many(() => {
    const event = { sequence: number(), createdAt: number(), key: key(), stream: stream(), bytes: bytes.readUInt32BE(take(4)), at: dataAt }
    dataAt += event.bytes
    return event
  })
  return { head, events }
}
