import { readEventsFrame } from './event-frames.ts'
import { newerFormat } from './file-errors.ts'
import { type Frame, frameType } from './frame.ts'
import { readId, readRecordHead, readTouchHead } from './record-frames.ts'
import { placeOf, segmentName } from './segment.ts'
import type { Table } from './table.ts'

/** Brings the index to what a frame says, as it was when the frame was written. */
export function replay(table: Table, segmentNumber: number, bytes: Buffer, frame: Frame): void {
  const { at, headBytes } = frame
  const place = { at: placeOf(segmentNumber, at), headBytes, bytes: frame.bytes }
  switch (frame.type) {
    case frameType.create: {
      const head = readRecordHead(bytes, at)
      // An expired session of that id was there; its events went with it.
      table.remove(head.id)
      table.put(head, place)
      return
    }
    case frameType.replace:
    case frameType.moved:
      table.put(readRecordHead(bytes, at), place)
      return
    case frameType.touch:
      table.touch(readTouchHead(bytes, at))
      return
    case frameType.delete:
      table.remove(readId(bytes, at))
      return
    case frameType.events: {
      // Its session may come later: compaction moves sessions and events one by one.
      const { head, events } = readEventsFrame(bytes, at)
      table.eventsFor(head.id).apply(head, events, place.at, frame.bytes)
      return
    }
    default:
      throw newerFormat(segmentName(segmentNumber))
  }
}
