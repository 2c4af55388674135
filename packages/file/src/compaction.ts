import type { Call } from '@mcp-session/core/backend'
import { contentOf } from './disk.ts'
import { type EventHead, type EventsHead, eventsFrame, readEventsFrame } from './event-frames.ts'
import { type Frame, frameAt, frameType, headerBytes } from './frame.ts'
import type { Lane, Step } from './lane.ts'
import type { Log } from './log.ts'
import { damaged, type Reading } from './reading.ts'
import { readRecordHead, recordFrame } from './record-frames.ts'
import { nothing, placeAt, writes } from './record-steps.ts'
import { placeOf, type Segment, segmentHeaderBytes } from './segment.ts'
import type { Table } from './table.ts'
import type { Tuning } from './tuning.ts'

/** Gives the room of dead frames back, slice by slice, between the writes of callers. */
export interface Compaction {
  /** Begins a pass where there is enough to win; one is under way at most. */
  consider(): void
  /** Ends after the slice that is under way. */
  stop(): Promise<void>
  /** Why the last pass ended early; `undefined`: it did not. */
  failure(): unknown
}

export interface CompactionParts {
  readonly log: Log
  readonly table: Table
  readonly reading: Reading
  readonly lane: Lane
  readonly seed: number
  readonly tuning: Tuning
  /** Lets the event loop turn. */
  pause(): Promise<void>
}

/** No session id has it. */
const key = '\0compaction'
const noDeadline: Call = { now: 0, deadlineAt: Number.POSITIVE_INFINITY }
/** Flushes after a failed pass before the next one: on a full disk every try costs a read. */
const restFlushes = 64

export function compaction(parts: CompactionParts): Compaction {
  const { log, table, tuning } = parts
  let pass: Promise<void> | undefined
  let failed: unknown
  let rest = 0
  let stopped = false

  /** As many dead bytes as live ones, and some; or many small segments, one for each time that the store was opened. */
  function isWorthwhile(): boolean {
    const live = table.liveBytes() + table.eventBytes()
    const segments = log.segments().length
    if (segments < 2) return false
    return log.bytes() > 2 * live + 2 * tuning.segmentBytes || segments > 4 + Math.ceil((3 * live) / tuning.segmentBytes)
  }

  async function run(): Promise<void> {
    try {
      while (!stopped && isWorthwhile()) await compactOldest()
      failed = undefined
    } catch (error) {
      failed = error
      rest = restFlushes
    } finally {
      pass = undefined
    }
  }

  async function compactOldest(): Promise<void> {
    const [oldest] = log.segments()
    if (oldest === undefined) return
    const bytes = await contentOf(oldest.file)
    for (let at = segmentHeaderBytes; at < oldest.end && !stopped; ) {
      const slice = framesFrom(oldest, bytes, at)
      at = slice.end
      if (slice.frames.length > 0) await parts.lane.run(key, noDeadline, () => copies(parts, oldest, bytes, slice.frames), 'copy')
      await parts.pause()
    }
    if (!stopped) await parts.lane.run(key, noDeadline, () => ({ ...nothing(undefined), action: log.retireOldest }), 'copy')
  }

  /** The frames of a slice. It throws where one is damaged: the segment stays then. */
  function framesFrom({ number, end, skips }: Segment, bytes: Buffer, from: number): { readonly frames: Frame[]; readonly end: number } {
    const frames: Frame[] = []
    let at = from
    while (at < end && at - from < tuning.sliceBytes) {
      const skip = skips.find((each) => each[0] === at && each[1] > at)
      const frame = skip === undefined ? frameAt(bytes, at, end, parts.seed) : undefined
      if (skip === undefined && frame === undefined) throw damaged(placeOf(number, at))
      if (frame !== undefined) frames.push(frame)
      at = frame === undefined ? (skip?.[1] ?? end) : at + frame.bytes
    }
    return { frames, end: at }
  }

  return {
    consider() {
      rest = Math.max(0, rest - 1)
      if (pass === undefined && rest === 0 && !stopped && isWorthwhile()) pass = run()
    },
    async stop() {
      stopped = true
      await pass
    },
    failure: () => failed,
  }
}

/** What lives of these frames, as frames at the end of the log; judged in the flush that writes them. */
function copies({ table, reading }: CompactionParts, { number }: Segment, bytes: Buffer, frames: readonly Frame[]): Step<void> {
  const copied: { readonly frame: Buffer; apply(at: number): void }[] = []
  const saved = new Set<string>()
  for (const frame of frames) {
    if (frame.type === frameType.events) copyEvents(frame)
    else if (frame.type !== frameType.touch && frame.type !== frameType.delete) copyRecord(frame)
  }
  return writes(
    copied.map(({ frame }) => frame),
    true,
    (places) => {
      for (const [index, { apply }] of copied.entries()) apply(places[index] ?? 0)
    },
  )

  function copyRecord({ at, headBytes, bytes: size }: Frame): void {
    const head = readRecordHead(bytes, at)
    const row = table.find(head.id)
    if (row === -1 || table.placeOf(row).at !== placeOf(number, at)) return
    // Touches are merged: their frames go with their segments.
    const instants = { lastAccessedAt: table.lastAccessedAtOf(row), expiresAt: table.expiresAtOf(row) }
    const data = bytes.subarray(at + headerBytes + headBytes, at + size)
    const frame = recordFrame(frameType.moved, { ...head, ...instants }, data)
    copied.push({
      frame,
      apply(to) {
        reading.move(placeOf(number, at), to)
        table.move(row, placeAt(to, frame))
      },
    })
  }

  function copyEvents({ at }: Frame): void {
    const { head, events } = readEventsFrame(bytes, at)
    const log = table.eventsOf(head.id)
    if (log === undefined) return
    // What trimming left behind is known from frames that go now.
    if (log.stateSegment() === number && !saved.has(head.id)) {
      saved.add(head.id)
      addEvents(head.id, { ...log.state(), id: head.id }, [])
    }
    for (const event of events) {
      const kept = log.at(event.sequence)
      if (kept?.frameAt !== placeOf(number, at) || kept.key !== event.key) continue
      const data = bytes.subarray(at + event.at, at + event.at + event.bytes)
      addEvents(head.id, { id: head.id, whole: false, last: head.last, goneThrough: 0, dropped: [], gone: [] }, [{ ...event, data }])
    }
  }

  function addEvents(id: string, head: EventsHead, events: readonly (EventHead & { readonly data: Buffer })[]): void {
    const frame = eventsFrame(head, events)
    const written = readEventsFrame(frame, 0)
    copied.push({ frame, apply: (to) => table.eventsFor(id).apply(written.head, written.events, to, frame.length) })
  }
}
