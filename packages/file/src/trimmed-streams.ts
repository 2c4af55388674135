/** What a session's log remembers of the events that it no longer has. */
export interface TrimmedStreams {
  /** Events of that stream up to that sequence are gone, as far as there were any. */
  add(stream: string, sequence: number): void
  /** Events up to that sequence are gone, nobody knows of which streams. */
  addUnknown(sequence: number): void
  /** Whether an event of those streams (undefined: of any) with a greater sequence is gone. */
  isAnyAfter(sequence: number, streams: ReadonlySet<string> | undefined): boolean
  unknownThrough(): number
  entries(): [stream: string, sequence: number][]
}

/** A session that opens a stream per request names new ones for ever: beyond these, the oldest are remembered together. */
const maxStreams = 4_096

export function trimmedStreams(): TrimmedStreams {
  const byStream = new Map<string, number>()
  let unknownThrough = 0
  let newest = 0

  return {
    add(stream, sequence) {
      const through = Math.max(sequence, byStream.get(stream) ?? 0)
      byStream.delete(stream)
      byStream.set(stream, through)
      newest = Math.max(newest, through)
      const [oldest] = byStream.size > maxStreams ? byStream : []
      if (oldest === undefined) return
      byStream.delete(oldest[0])
      unknownThrough = Math.max(unknownThrough, oldest[1])
    },
    addUnknown(sequence) {
      unknownThrough = Math.max(unknownThrough, sequence)
      newest = Math.max(newest, sequence)
    },
    isAnyAfter(sequence, streams) {
      if (newest <= sequence) return false
      if (streams === undefined || unknownThrough > sequence) return true
      return [...streams].some((stream) => (byStream.get(stream) ?? 0) > sequence)
    },
    unknownThrough: () => unknownThrough,
    entries: () => [...byStream],
  }
}
