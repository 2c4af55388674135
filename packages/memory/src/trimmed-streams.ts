/** What a session's log remembers of the events that it no longer has. */
export interface TrimmedStreams {
  /** Notes that an event is gone. Sequences arrive in order, those of restored events excepted. */
  add(stream: string, sequence: number): void
  /** Notes that events up to that sequence are gone, nobody knows of which streams. */
  addUnknown(sequence: number): void
  /** Whether an event of those streams (undefined: of any) with a greater sequence is gone. */
  isAnyAfter(sequence: number, streams: ReadonlySet<string> | undefined): boolean
}

/** A session that opens a stream per request names new ones for ever, so the oldest are remembered together only. */
const maxStreams = 4_096

export function trimmedStreams(): TrimmedStreams {
  const newestByStream = new Map<string, number>()
  let newest = 0
  let newestUnknown = 0

  function add(stream: string, sequence: number): void {
    newest = Math.max(newest, sequence)
    const before = newestByStream.get(stream) ?? 0
    newestByStream.delete(stream)
    newestByStream.set(stream, Math.max(before, sequence))
    if (newestByStream.size <= maxStreams) return
    const oldest = newestByStream.entries().next()
    if (oldest.done) return
    newestByStream.delete(oldest.value[0])
    addUnknown(oldest.value[1])
  }

  function addUnknown(sequence: number): void {
    newest = Math.max(newest, sequence)
    newestUnknown = Math.max(newestUnknown, sequence)
  }

  function isAnyAfter(sequence: number, streams: ReadonlySet<string> | undefined): boolean {
    if (streams === undefined) return newest > sequence
    if (newestUnknown > sequence) return true
    for (const stream of streams) {
      if ((newestByStream.get(stream) ?? 0) > sequence) return true
    }
    return false
  }

  return { add, addUnknown, isAnyAfter }
}
