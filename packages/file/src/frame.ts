import { crc32 } from 'node:zlib'

/** Bytes of a frame's header; the layout is in the README, "Storage layout". */
export const headerBytes = 32
/** Never part of UTF-8 text, so that recovery finds frames, and only frames. */
export const magic = 0xff

export const frameType = { create: 1, replace: 2, moved: 3, touch: 4, delete: 5, events: 6 } as const
export type FrameType = (typeof frameType)[keyof typeof frameType]

/** A frame that was found whole. */
export interface Frame {
  readonly type: number
  /** Offset in its segment, and in the bytes that were scanned. */
  readonly at: number
  readonly headBytes: number
  readonly bytes: number
  /** Number of the frame. */
  readonly lsn: number
  /** All frames up to that number were on disk when this one was written. */
  readonly synced: number
  readonly relaxed: boolean
}

/** A frame without its number and its checksums; `stamp` adds them when it is written. */
export function newFrame(type: FrameType, headBytes: number, dataBytes: number): Buffer {
  const frame = Buffer.allocUnsafe(headerBytes + headBytes + dataBytes)
  frame.fill(0, 0, headerBytes)
  frame[0] = magic
  frame[1] = type
  frame.writeUInt32BE(headBytes, 4)
  frame.writeUInt32BE(dataBytes, 8)
  return frame
}

/** `seed`: the CRC-32 of the store's secret. */
export function stamp(frame: Buffer, lsn: number, synced: number, relaxed: boolean, seed: number): void {
  frame[2] = relaxed ? 1 : 0
  frame.writeUIntBE(lsn, 12, 6)
  frame.writeUIntBE(synced, 18, 6)
  const dataAt = headerBytes + frame.readUInt32BE(4)
  frame.writeUInt32BE(crc32(frame.subarray(dataAt), seed), 24)
  frame.writeUInt32BE(headSum(frame, 0, dataAt, seed), 28)
}

/** The whole and undamaged frame at `at`, or `undefined`. */
export function frameAt(bytes: Buffer, at: number, end: number, seed: number): Frame | undefined {
  const frame = headAt(bytes, at, end, seed)
  if (frame === undefined || at + frame.bytes > end) return undefined
  return isDataIntact(bytes.subarray(at, at + frame.bytes), seed) ? frame : undefined
}

/** The frame at `at` whose header and head are whole and undamaged; its data may lie beyond `end`. */
export function headAt(bytes: Buffer, at: number, end: number, seed: number): Frame | undefined {
  if (at + headerBytes > end || bytes[at] !== magic || bytes[at + 3] !== 0) return undefined
  const headBytes = bytes.readUInt32BE(at + 4)
  const headEnd = at + headerBytes + headBytes
  if (headEnd > end || bytes.readUInt32BE(at + 28) !== headSum(bytes, at, headEnd, seed)) return undefined
  return {
    type: bytes[at + 1] ?? 0,
    at,
    headBytes,
    bytes: headerBytes + headBytes + bytes.readUInt32BE(at + 8),
    lsn: bytes.readUIntBE(at + 12, 6),
    synced: bytes.readUIntBE(at + 18, 6),
    relaxed: bytes[at + 2] === 1,
  }
}

/** Whether the data of a frame whose head is intact is intact too. */
export function isDataIntact(frame: Buffer, seed: number): boolean {
  return frame.readUInt32BE(24) === crc32(frame.subarray(headerBytes + frame.readUInt32BE(4)), seed)
}

function headSum(bytes: Buffer, at: number, headEnd: number, seed: number): number {
  return crc32(bytes.subarray(at + headerBytes, headEnd), crc32(bytes.subarray(at, at + 28), seed))
}
