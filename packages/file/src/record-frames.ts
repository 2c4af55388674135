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

/** `at`: where the frame begins. Opening a store reads a million of these: no closures here. */
export function readRecordHead(bytes: Buffer, at: number): RecordHead {
  const idAt = at + headerBytes + 1
  const revAt = idAt + (bytes[idAt - 1] ?? 0) + 1
  const prevRevAt = revAt + (bytes[revAt - 1] ?? 0) + 1
  const ownerAt = prevRevAt + (bytes[prevRevAt - 1] ?? 0) + 2
  const ownerBytes = bytes.readUInt16BE(ownerAt - 2)
  const numbersAt = ownerBytes === noOwner ? ownerAt : ownerAt + ownerBytes
  return {
    id: bytes.toString('latin1', idAt, revAt - 1),
    rev: bytes.toString('latin1', revAt, prevRevAt - 1),
    prevRev: prevRevAt === ownerAt - 2 ? null : bytes.toString('latin1', prevRevAt, ownerAt - 2),
    owner: ownerBytes === noOwner ? null : bytes.toString('utf8', ownerAt, numbersAt),
    serial: bytes.readDoubleBE(numbersAt),
    createdAt: bytes.readDoubleBE(numbersAt + 8),
    lastAccessedAt: bytes.readDoubleBE(numbersAt + 16),
    ttlMs: bytes.readDoubleBE(numbersAt + 24),
    mustEndAt: bytes.readDoubleBE(numbersAt + 32),
    expiresAt: bytes.readDoubleBE(numbersAt + 40),
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
