import { type Frame, frameAt, magic } from './frame.ts'
import type { Skip } from './segment.ts'

/** A part of a segment where frames should be and are not. */
export interface Gap {
  readonly from: number
  readonly to: number
  /** Number of the last frame before it. */
  readonly after: number
}

export interface Scanned {
  readonly frames: readonly Frame[]
  readonly gaps: readonly Gap[]
  /** Offset behind the last frame. */
  readonly end: number
  /** Number of the last frame. */
  readonly lsn: number
}

export interface ScanRange {
  readonly from: number
  readonly to: number
  readonly skips: readonly Skip[]
  /** Number of the last frame before it; `undefined`: the log begins here. */
  readonly lsn: number | undefined
}

/** Bytes that are looked at before the event loop turns: 2 to 3 ms. */
const sliceBytes = 1024 * 1024

/** Finds the frames of a segment, and whatever stands between them. Behind the last frame zeros are no gap. */
export async function scan(bytes: Buffer, range: ScanRange, seed: number, pause: () => Promise<void>): Promise<Scanned> {
  const frames: Frame[] = []
  const gaps: Gap[] = []
  let { from: at, lsn } = range
  let pausedAt = at
  /** Whether numbers may be missing before the next frame. */
  let isBroken = lsn === undefined
  while (at < range.to) {
    const skip = range.skips.find(([from, to]) => at >= from && at <= to)
    if (skip !== undefined) {
      isBroken = true
      at = skip[1]
    }
    const frame = frameAt(bytes, at, range.to, seed)
    if (frame !== undefined && frame.lsn > (lsn ?? 0)) {
      if (!isBroken && frame.lsn !== (lsn ?? 0) + 1) gaps.push({ from: at, to: at, after: lsn ?? 0 })
      frames.push(frame)
      isBroken = false
      lsn = frame.lsn
      at += frame.bytes
    } else {
      const to = await nextFrame(bytes, at + 1, range, lsn ?? 0, seed, pause)
      if (to === undefined) break
      gaps.push({ from: at, to, after: lsn ?? 0 })
      isBroken = true
      at = to
    }
    if (at - pausedAt < sliceBytes) continue
    pausedAt = at
    await pause()
  }
  const end = Math.min(at, range.to)
  const last = lastWritten(bytes, end, range.to)
  if (last > end) gaps.push({ from: end, to: last, after: lsn ?? 0 })
  return { frames, gaps, end, lsn: lsn ?? 0 }
}

/** Where the next frame or skip begins; `undefined`: there is none. */
async function nextFrame(
  bytes: Buffer,
  from: number,
  { to, skips }: ScanRange,
  lsn: number,
  seed: number,
  pause: () => Promise<void>,
): Promise<number | undefined> {
  let pausedAt = from
  const skip = skips.find((each) => each[0] >= from)?.[0] ?? to
  for (let at = bytes.indexOf(magic, from); at !== -1 && at < skip; at = bytes.indexOf(magic, at + 1)) {
    const frame = frameAt(bytes, at, to, seed)
    if (frame !== undefined && frame.lsn > lsn) return at
    if (at - pausedAt < sliceBytes) continue
    pausedAt = at
    await pause()
  }
  return skip < to ? skip : undefined
}

/** Offset behind the last byte that is not zero, from `from` on. */
function lastWritten(bytes: Buffer, from: number, to: number): number {
  let end = to
  while (end - zeros.length >= from && bytes.compare(zeros, 0, zeros.length, end - zeros.length, end) === 0) end -= zeros.length
  while (end > from && bytes[end - 1] === 0) end -= 1
  return end
}

const zeros: Buffer = Buffer.alloc(4_096)
