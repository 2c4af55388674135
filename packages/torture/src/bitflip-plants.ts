import type { Disk, DiskFile } from '@mcp-session/file/internal'
import { dataSum, framesOf, headSum, isHeadIntact, seedIn, segmentHeaderBytes } from './file-frames.ts'

/** A disk that has a store read its log with a bug. `undefined` plants none. */
export function plantReadingBug(name: string | undefined, disk: Disk): Disk {
  if (name === undefined) return disk
  const bug = bugs[name]
  if (bug === undefined) throw new RangeError(`No bug is called ${name}`)
  return {
    ...disk,
    open: async (path, use) => (path.endsWith('.log') ? seenThrough(bug, await disk.open(path, use)) : disk.open(path, use)),
  }
}

/** Each changes the bytes of a segment to what a reader with that bug would make of them. */
const bugs: Readonly<Record<string, (segment: Buffer) => void>> = {
  /** Takes the data of a frame for what was written whenever its head is intact. */
  'no-payload-checksum'(segment) {
    const seed = seedIn(segment)
    for (let at = segmentHeaderBytes; isHeadIntact(segment, at, seed); ) {
      segment.writeUInt32BE(dataSum(segment, at, seed), at + 24)
      segment.writeUInt32BE(headSum(segment, at, seed), at + 28)
      at = framesOf(segment).find((frame) => frame.at === at)?.end ?? segment.length
    }
  },
  /** Reads nothing behind the first frame that is damaged. */
  'stop-at-first-bad'(segment) {
    segment.fill(0, framesOf(segment).at(-1)?.end ?? segmentHeaderBytes)
  },
}

function seenThrough(bug: (segment: Buffer) => void, file: DiskFile): DiskFile {
  return {
    ...file,
    async read(target, position) {
      const segment = Buffer.alloc(await file.size())
      await file.read(segment, 0)
      bug(segment)
      return segment.copy(target, 0, position, position + target.length)
    },
  }
}
