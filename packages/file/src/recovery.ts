import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { contentOf, type Disk, type DiskFile, syncAnew } from './disk.ts'
import { corrupt, errorCode, newerFormat } from './file-errors.ts'
import { type FoundStore, findStore } from './found-store.ts'
import type { LogState } from './log.ts'
import { type Manifest, type SegmentEntry, swapManifest } from './manifest.ts'
import { replay } from './replay.ts'
import { type Gap, type Scanned, scan } from './scan.ts'
import { judgeHeader, type Segment, type Skip, segment, segmentHeader, segmentHeaderBytes, segmentName } from './segment.ts'
import { type Aside, setAside } from './set-aside.ts'
import { type Table, table } from './table.ts'

export interface RecoverySettings {
  readonly disk: Disk
  readonly folder: string
  readonly durable: boolean
  readonly damage: 'strict' | 'salvage'
  /** 32 random bytes: the secret of a new store. */
  readonly secret: Buffer
  /** Lets the event loop turn. */
  pause(): Promise<void>
}

/** A store that was read from its folder. */
export interface Recovered {
  readonly log: LogState
  readonly table: Table
  /** What was put aside. */
  readonly asides: readonly Aside[]
}

/**
 * Reads a store. It changes nothing before it has read all: `CORRUPT` (damage, unless it is to be salvaged) and `SCHEMA` (a newer
 * format) leave the folder as it was.
 */
export async function recover(settings: RecoverySettings): Promise<Recovered> {
  const { disk, folder } = settings
  const store = await findStore(settings)
  const secret = Buffer.from(store.manifest.secret, 'hex')
  const reader = segmentReader(settings, secret)
  const files: DiskFile[] = []
  try {
    for (const [index, entry] of store.manifest.segments.entries()) {
      const file = await reader.read(entry, index === store.manifest.segments.length - 1 ? (store.manifest.closedAt ?? 0) : undefined)
      if (file !== undefined) files.push(file)
    }
    await reader.table.settle(settings.pause)
    const asides = [...store.asides, ...reader.asides]
    await tidy(settings, store, reader.segments, asides)
    const { lsn } = reader
    const log = { disk, folder, secret, seed: reader.seed, durable: settings.durable, segments: reader.segments }
    const closedAt = asides.length === 0 ? store.manifest.closedAt : undefined
    return { log: { ...log, allocated: 0, lsn: lsn(), nextNumber: store.nextNumber, closedAt }, table: reader.table, asides }
  } catch (error) {
    await Promise.all(files.map((file) => file.close()))
    throw error
  }
}

/** Puts damage aside, says so in the manifest, and removes files that are no part of the store. */
async function tidy(
  { disk, folder }: RecoverySettings,
  store: FoundStore,
  segments: readonly Segment[],
  asides: readonly Aside[],
): Promise<void> {
  await setAside(disk, folder, asides)
  if (store.isNew || asides.length > 0) {
    const entries = segments.map(({ number, end, skips }): SegmentEntry => ({ number, end, skips }))
    await swapManifest(disk, folder, { secret: store.manifest.secret, segments: entries } satisfies Manifest)
  }
  for (const name of store.leftovers) await disk.unlink(join(folder, name))
}

interface SegmentReader {
  readonly table: Table
  readonly segments: Segment[]
  readonly asides: Aside[]
  readonly seed: number
  lsn(): number
  /** The next segment; the last one with the end that was noted when the store was closed, or 0. Gives the file that it left open. */
  read(entry: SegmentEntry, lastEnd: number | undefined): Promise<DiskFile | undefined>
}

function segmentReader(settings: RecoverySettings, secret: Buffer): SegmentReader {
  const { disk, folder, damage, pause } = settings
  const rows = table()
  const segments: Segment[] = []
  const asides: Aside[] = []
  const seed = crc32(secret)
  let lsn: number | undefined

  async function read(entry: SegmentEntry, lastEnd: number | undefined): Promise<DiskFile | undefined> {
    const name = segmentName(entry.number)
    const file = await openSegment(name, lastEnd !== undefined)
    if (file === undefined) return undefined
    try {
      const bytes = await contentOf(file)
      if (lastEnd !== undefined && isHeaderTorn(bytes, entry.number)) {
        const lost = Math.max(0, lastEnd - segmentHeaderBytes)
        note({ name, offset: 0, bytes, kind: lost === 0 ? 'torn' : 'damaged', lost })
        await file.close()
        return undefined
      }
      const skips = checkHeader(name, bytes, entry)
      const taken = await takeIn({ ...entry, skips }, bytes, lastEnd)
      segments.push(segment(entry.number, file, taken.end, taken.skips))
      // A process that ended may have left what is not on disk yet, and it will be shown now.
      if (lastEnd !== undefined) await syncAnew(file, bytes.subarray(taken.provenTo, taken.end), taken.provenTo)
      return file
    } catch (error) {
      await file.close()
      throw error
    }
  }

  async function openSegment(name: string, isLast: boolean): Promise<DiskFile | undefined> {
    try {
      return await disk.open(join(folder, name), isLast ? 'writes' : 'reading')
    } catch (error) {
      if (!['ENOENT', 'EISDIR', 'ELOOP', 'ENXIO'].includes(errorCode(error) ?? '')) throw error
      note({ name, offset: 0, bytes: Buffer.alloc(0), kind: 'damaged', lost: 0 }, error)
      return undefined
    }
  }

  /** A file system may lose the end of a file, and even of this one's header; there were no frames then. */
  function isHeaderTorn(bytes: Buffer, number: number): boolean {
    return bytes.length < segmentHeaderBytes && bytes.equals(segmentHeader(number, secret).subarray(0, bytes.length))
  }

  /** Gives the parts to skip: with the header, once its damage is known. */
  function checkHeader(name: string, bytes: Buffer, { number, skips }: SegmentEntry): readonly Skip[] {
    const verdict = judgeHeader(bytes, number, secret)
    if (verdict === 'newer') throw newerFormat(join(folder, name))
    if (verdict === 'ours' || skips.some(([from]) => from === 0)) return skips
    note({ name, offset: 0, bytes: bytes.subarray(0, segmentHeaderBytes), kind: 'damaged', lost: 0 })
    return [[0, segmentHeaderBytes], ...skips]
  }

  async function takeIn(
    entry: SegmentEntry,
    bytes: Buffer,
    lastEnd: number | undefined,
  ): Promise<{ readonly end: number; readonly skips: readonly Skip[]; readonly provenTo: number }> {
    const to = Math.min(entry.end ?? bytes.length, bytes.length)
    const found = await scan(bytes, { from: segmentHeaderBytes, to, skips: entry.skips, lsn }, seed, pause)
    const name = segmentName(entry.number)
    // A store that was closed has all its frames on disk.
    const mayBeTorn = (gap: Gap): boolean => entry.end === undefined && gap.from >= (lastEnd ?? 0) && !isDamage(found, gap)
    const tear = found.gaps.find((gap) => mayBeTorn(gap) && isRelaxed(found, gap))
    const skips: Skip[] = [...entry.skips]
    for (const gap of tear === undefined ? found.gaps : found.gaps.filter((each) => each.from < tear.from)) {
      const { from, to } = gap
      note({ name, offset: from, bytes: bytes.subarray(from, to), kind: mayBeTorn(gap) ? 'torn' : 'damaged', lost: 0 })
      if (from < found.end) skips.push([from, to])
    }
    let end = found.end
    if (tear !== undefined) {
      end = tear.from
      note({ name, offset: tear.from, bytes: bytes.subarray(tear.from, Math.max(tear.to, found.end)), kind: 'torn', lost: 0 })
    }
    const expected = entry.end ?? lastEnd ?? 0
    if (end < expected && tear === undefined && !found.gaps.some(({ to }) => to >= expected)) {
      note({ name, offset: end, bytes: Buffer.alloc(0), kind: 'damaged', lost: expected - end })
    }
    await replayAll(entry.number, bytes, found, end)
    return { end, skips, provenTo: lastEnd === undefined ? end : Math.max(lastEnd, provenTo(found, end)) }
  }

  async function replayAll(number: number, bytes: Buffer, { frames }: Scanned, end: number): Promise<void> {
    let pausedAt = 0
    for (const frame of frames) {
      if (frame.at >= end) break
      replay(rows, number, bytes, frame)
      lsn = frame.lsn
      if (frame.at - pausedAt < replayedBytesPerTurn) continue
      pausedAt = frame.at
      await pause()
    }
  }

  function note(aside: Aside, cause?: unknown): void {
    if (aside.kind === 'damaged' && damage === 'strict') {
      const path = join(folder, aside.name)
      const what = `${path} is damaged at offset ${aside.offset}: restore a backup, or open the store with damage: 'salvage', which keeps all that is not damaged`
      throw corrupt(what, cause)
    }
    asides.push(aside)
  }

  return { table: rows, segments, asides, seed, lsn: () => lsn ?? 0, read }
}

const replayedBytesPerTurn = 1024 * 1024

/** Where the frames begin of which none says that they are on disk. */
function provenTo({ frames }: Scanned, end: number): number {
  const counting = frames.filter(({ at }) => at < end)
  const synced = counting.at(-1)?.synced ?? 0
  return counting.find(({ lsn }) => lsn > synced)?.at ?? end
}

/** Whether a later frame says that what should be in the gap had been on disk. */
function isDamage({ frames }: Scanned, gap: Gap): boolean {
  return (frames.at(-1)?.synced ?? 0) > gap.after
}

/** Whether what follows was written in the relaxed mode: then it may depend on what is missing, and counts no more. */
function isRelaxed({ frames }: Scanned, gap: Gap): boolean {
  return frames.some((frame) => frame.at >= gap.to && frame.relaxed)
}
