import { crc32 } from 'node:zlib'
import type { DiskFile } from './disk.ts'

/** Bytes of a segment's header; the layout is in the README, "Storage layout". */
export const segmentHeaderBytes = 64
export const secretBytes = 32
const magic = Buffer.from('\xffmcpfile', 'latin1')
const format = 1

/** A file of the log. */
export interface Segment {
  readonly number: number
  readonly file: DiskFile
  /** Offset behind its last frame. */
  end: number
  /** Damaged or torn parts before `end` that were put aside. */
  readonly skips: readonly Skip[]
  /** Keeps the file open until `unpin`, also when the segment is dropped meanwhile. */
  pin(): void
  unpin(): void
  /** Closes the file as soon as nobody has it pinned. */
  drop(): Promise<void>
}

/** `[from, to)` */
export type Skip = readonly [from: number, to: number]

export function segment(number: number, file: DiskFile, end: number, skips: readonly Skip[]): Segment {
  let pins = 0
  let dropped: (() => void) | undefined
  return {
    number,
    file,
    end,
    skips,
    pin() {
      pins += 1
    },
    unpin() {
      pins -= 1
      if (pins === 0) dropped?.()
    },
    async drop() {
      if (pins > 0) {
        await new Promise<void>((resolve) => {
          dropped = resolve
        })
      }
      await file.close()
    },
  }
}

export function segmentName(number: number): string {
  return `${String(number).padStart(8, '0')}.log`
}

/** The number in the name of a segment; `undefined`: it is the name of something else. */
export function numberIn(name: string): number | undefined {
  return /^\d{8,}\.log$/.test(name) ? Number(name.slice(0, -4)) : undefined
}

export function segmentHeader(number: number, secret: Buffer): Buffer {
  const header = Buffer.alloc(segmentHeaderBytes)
  magic.copy(header)
  header.writeUInt32BE(format, 8)
  header.writeUIntBE(number, 12, 6)
  secret.copy(header, 18)
  header.writeUInt32BE(crc32(header.subarray(0, 60)), 60)
  return header
}

/** What the first bytes of a segment are. `foreign`: whole, but of another store or another segment. */
export function judgeHeader(bytes: Buffer, number: number, secret: Buffer): 'ours' | 'newer' | 'foreign' | 'damaged' {
  const header = bytes.subarray(0, segmentHeaderBytes)
  if (header.equals(segmentHeader(number, secret))) return 'ours'
  const isWhole = header.length === segmentHeaderBytes && header.readUInt32BE(60) === crc32(header.subarray(0, 60))
  if (!isWhole || !header.subarray(0, magic.length).equals(magic)) return 'damaged'
  return header.readUInt32BE(8) > format ? 'newer' : 'foreign'
}

/** Where a frame is: its segment and its offset there, in one number. */
export function placeOf(segmentNumber: number, offset: number): number {
  return segmentNumber * 2 ** 32 + offset
}

export function segmentOf(place: number): number {
  return Math.floor(place / 2 ** 32)
}

export function offsetOf(place: number): number {
  return place % 2 ** 32
}
