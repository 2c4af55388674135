import { crc32 } from 'node:zlib'
import type { SessionRecord, Touch } from '@mcp-session/core/backend'
import { frameType, headerBytes, newFrame } from './frame.ts'

/** What a frame of type 1 to 3 says, but for the data. */
export interface RecordHead extends Omit<SessionRecord, 'data'> {
  /** Place in listings: they follow it. */
  readonly serial: number
}

export interface TouchHead extends Omit<Touch, 'rev'> {
  readonly revSum: number
}

const noOwner = 0xffff
const numbers = 6 * 8

/** A frame that holds a record; `data` as text, or as the bytes of one. */
export function recordFrame(type: 1 | 2 | 3, head: RecordHead, data: string | Buffer): Buffer {
  const { id, rev, prevRev, owner } = head
  const ownerBytes = owner === null ? 0 : Buffer.byteLength(owner)
  const headBytes = 3 + id.length + rev.length + (prevRev?.length ?? 0) + 2 + ownerBytes + numbers
  const frame = newFrame(type, headBytes, typeof data === 'string' ? Buffer.byteLength(data) : data.length)
  let at = writeShort(frame, headerBytes, id)
  at = writeShort(frame, at, rev)
  at = writeShort(frame, at, prevRev ?? '')
  at = frame.writeUInt16BE(owner === null ? noOwner : ownerBytes, at)
  if (owner !== null) at += frame.write(owner, at)
  for (const value of [head.serial, head.createdAt, head.lastAccessedAt, head.ttlMs, head.mustEndAt, head.expiresAt]) {
    at = frame.writeDoubleBE(value, at)
  }
  if (typeof data === 'string') frame.write(data, at)
  else data.copy(frame, at)
  return frame
}

/** `at`: where the frame begins. */
export function readRecordHead(bytes: Buffer, at: number): RecordHead {
  let next = at + headerBytes
  const text = (): string => {
    const length = bytes[next] ?? 0
    next += 1 + length
    return bytes.toString('latin1', next - length, next)
  }
  const number = (): number => {
    next += 8
    return bytes.readDoubleBE(next - 8)
  }
  const id = text()
  const rev = text()
  const prevRev = text()
  const ownerBytes = bytes.readUInt16BE(next)
  next += 2
  const owner = ownerBytes === noOwner ? null : bytes.toString('utf8', next, next + ownerBytes)
  if (ownerBytes !== noOwner) next += ownerBytes
  return {
    id,
    rev,
    prevRev: prevRev === '' ? null : prevRev,
    owner,
    serial: number(),
    createdAt: number(),
    lastAccessedAt: number(),
    ttlMs: number(),
    mustEndAt: number(),
    expiresAt: number(),
  }
}

export function touchFrame(touch: Touch): Buffer {
  const frame = newFrame(frameType.touch, 1 + touch.id.length + 20, 0)
  let at = writeShort(frame, headerBytes, touch.id)
  at = frame.writeUInt32BE(crc32(touch.rev), at)
  at = frame.writeDoubleBE(touch.lastAccessedAt, at)
  frame.writeDoubleBE(touch.expiresAt, at)
  return frame
}

export function readTouchHead(bytes: Buffer, at: number): TouchHead {
  const id = readId(bytes, at)
  const next = at + headerBytes + 1 + id.length
  return {
    id,
    revSum: bytes.readUInt32BE(next),
    lastAccessedAt: bytes.readDoubleBE(next + 4),
    expiresAt: bytes.readDoubleBE(next + 12),
  }
}

export function deleteFrame(id: string): Buffer {
  const frame = newFrame(frameType.delete, 1 + id.length, 0)
  writeShort(frame, headerBytes, id)
  return frame
}

/** The session id, with which the head of every frame begins. */
export function readId(bytes: Buffer, at: number): string {
  const length = bytes[at + headerBytes] ?? 0
  return bytes.toString('latin1', at + headerBytes + 1, at + headerBytes + 1 + length)
}

/** Visible ASCII of at most 255 characters. */
function writeShort(frame: Buffer, at: number, text: string): number {
  frame[at] = text.length
  return at + 1 + frame.write(text, at + 1, 'latin1')
}
