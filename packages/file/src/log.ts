import { join } from 'node:path'
import { type Disk, type DiskFile, syncAnew } from './disk.ts'
import { full, isFull } from './file-errors.ts'
import { stamp } from './frame.ts'
import { swapManifest } from './manifest.ts'
import { placeOf, type Segment, type Skip, segment, segmentHeader, segmentHeaderBytes, segmentName } from './segment.ts'
import type { Tuning } from './tuning.ts'

/** The append-only log. Its writing methods run one after the other; nothing else writes. */
export interface Log {
  /** In order; the last one is written to. */
  segments(): readonly Segment[]
  /** Bytes of all frames, dead ones included. */
  bytes(): number
  /**
   * Writes the frames behind each other and gives the place of the first, once they are as durable as the log is. `LIMIT` where the
   * disk is full and nothing was written; another error: nobody knows what was written, and by the next append it is gone.
   * `mayUseReserve`: they make room, and may be written where others may not any more.
   */
  append(frames: readonly Buffer[], mayUseReserve: boolean): Promise<number>
  /** Makes durable what was appended. */
  sync(): Promise<void>
  /** Takes the oldest segment out of the store. Everything that lives of it must have been appended again, and synced. */
  retireOldest(): Promise<void>
  /** Why nothing can be written now; `undefined`: nothing failed. */
  failure(): unknown
  /** Notes in the manifest where the log ends, and closes all files. */
  close(): Promise<void>
}

/** Where recovery found the end of a log. */
export interface LogState {
  readonly disk: Disk
  readonly folder: string
  readonly secret: Buffer
  readonly seed: number
  readonly durable: boolean
  readonly segments: readonly Segment[]
  /** The last segment is filled with zeros up to here. 0: it must not be written to any more. */
  readonly allocated: number
  readonly lsn: number
  readonly nextNumber: number
  readonly closedAt: number | undefined
}

/** `confirm` throws where the folder is not ours any more: then its manifest is not replaced. */
export function openLog(state: LogState, tuning: Tuning, confirm: () => void): Log {
  const { disk, folder, secret, seed, durable } = state
  const segments: Segment[] = [...state.segments]
  let { allocated, lsn, nextNumber } = state
  let syncedLsn = lsn
  /** Offset in the last segment behind the last frame that is certainly on disk. */
  let syncedEnd = 0
  let failed: { readonly error: unknown } | undefined
  let syncing: NodeJS.Timeout | undefined
  let retired: Promise<void> = Promise.resolve()
  let { closedAt } = state

  async function append(frames: readonly Buffer[], mayUseReserve: boolean): Promise<number> {
    const bytes = frames.reduce((sum, frame) => sum + frame.length, 0)
    await makeRoom(bytes, mayUseReserve)
    const active = last()
    for (const [index, frame] of frames.entries()) stamp(frame, lsn + 1 + index, syncedLsn, !durable, seed)
    const [first = Buffer.alloc(0)] = frames
    const written = frames.length === 1 ? first : Buffer.concat(frames, bytes)
    await orFail(durable ? active.file.writeSynced(written, active.end) : active.file.write(written, active.end))
    const at = active.end
    active.end += bytes
    lsn += frames.length
    if (durable) synced(lsn, active.end)
    else syncLater()
    return placeOf(active.number, at)
  }

  /** Room for frames in zeros that are on disk, with the reserve left behind them. */
  async function makeRoom(bytes: number, mayUseReserve: boolean): Promise<void> {
    const needed = bytes + tuning.reserveBytes
    try {
      if (failed !== undefined || allocated === 0) return await beginSegment(needed)
      if (last().end + needed <= allocated) return
      if (last().end + needed > tuning.segmentBytes && last().end > segmentHeaderBytes) return await beginSegment(needed)
      await extend(last().end + needed)
    } catch (error) {
      if (!isFull(error)) throw error
      if (failed !== undefined || !mayUseReserve || allocated === 0 || last().end + bytes > allocated) throw full(error)
    }
  }

  async function extend(end: number): Promise<void> {
    const size = Math.ceil(end / tuning.allocateBytes) * tuning.allocateBytes
    const { file } = last()
    try {
      await file.write(Buffer.alloc(size - allocated), allocated)
      await file.sync()
    } catch (error) {
      if (!isFull(error)) failed = { error }
      throw error
    }
    allocated = size
  }

  /** Begins a new segment: nothing is ever written behind a failed write, and what that left counts no more. */
  async function beginSegment(needed: number): Promise<void> {
    await sync()
    const number = nextNumber
    nextNumber += 1
    const path = join(folder, segmentName(number))
    const size = Math.ceil((segmentHeaderBytes + needed) / tuning.allocateBytes) * tuning.allocateBytes
    const file = await disk.create(path, durable ? 'synced writes' : 'writes')
    try {
      const bytes = Buffer.alloc(size)
      segmentHeader(number, secret).copy(bytes)
      await file.write(bytes, 0)
      await file.sync()
    } catch (error) {
      await file.close()
      // What cannot be removed now is removed by the next open.
      await disk.unlink(path).catch(() => {})
      throw error
    }
    const next = segment(number, file, segmentHeaderBytes, [])
    try {
      await saveManifest([...segments, next])
    } catch (error) {
      // Which of the two manifests a crash would leave is not known: nothing more may be written to the segment of the old one.
      failed = { error }
      await file.close()
      throw error
    }
    segments.push(next)
    syncedEnd = segmentHeaderBytes
    allocated = size
    failed = undefined
  }

  async function saveManifest(all: readonly Segment[], end?: number): Promise<void> {
    confirm()
    closedAt = undefined
    const entries = all.map(({ number, end, skips }, index) => entryOf(number, index === all.length - 1 ? undefined : end, skips))
    const manifest = { secret: secret.toString('hex'), segments: entries }
    await swapManifest(disk, folder, end === undefined ? manifest : { ...manifest, closedAt: end })
  }

  async function sync(): Promise<void> {
    const through = lsn
    if (syncedLsn === through) return
    const { file, end } = last()
    await orFail(failed === undefined ? file.sync() : syncAgain(file, syncedEnd, end))
    synced(through, end)
  }

  async function syncAgain(file: DiskFile, from: number, to: number): Promise<void> {
    const bytes = Buffer.alloc(to - from)
    await file.read(bytes, from)
    await syncAnew(file, bytes, from)
  }

  function synced(through: number, end: number): void {
    if (through <= syncedLsn) return
    syncedLsn = through
    syncedEnd = end
  }

  function syncLater(): void {
    syncing ??= setTimeout(() => {
      syncing = undefined
      sync().catch(() => {})
    }, tuning.syncAfterMs).unref()
  }

  async function orFail<T>(step: Promise<T>): Promise<T> {
    try {
      return await step
    } catch (error) {
      failed = { error }
      throw error
    }
  }

  async function retireOldest(): Promise<void> {
    const [oldest, ...others] = segments
    if (oldest === undefined || others.length === 0) return
    await sync()
    await saveManifest(others)
    segments.shift()
    await disk.unlink(join(folder, segmentName(oldest.number)))
    retired = Promise.all([retired, oldest.drop()]).then(() => {})
  }

  /** Only asked for where a segment was begun. */
  function last(): Segment {
    const active = segments.at(-1)
    if (active === undefined) throw new Error('the log has no segment yet')
    return active
  }

  return {
    segments: () => segments,
    bytes: () => segments.reduce((sum, { end }) => sum + end - segmentHeaderBytes, 0),
    append,
    sync,
    retireOldest,
    failure: () => failed?.error,
    async close() {
      clearTimeout(syncing)
      try {
        if (failed === undefined) {
          await sync()
          const end = segments.at(-1)?.end
          if (end !== closedAt) await saveManifest(segments, end)
        }
      } finally {
        await Promise.all([retired, ...segments.map((each) => each.drop())])
      }
    },
  }
}

function entryOf(
  number: number,
  end: number | undefined,
  skips: readonly Skip[],
): { number: number; end?: number; skips: readonly Skip[] } {
  return end === undefined ? { number, skips } : { number, end, skips }
}
