/** A row of the table that the document which this project re-creates gives for its backends. Nobody had measured it. */
export interface OriginalRow {
  readonly name: string
  /** Calls a second, at least. */
  readonly perSecond: number
  readonly p95Us: number
  /** What of ours stands in its place. */
  readonly ours: readonly string[]
  /** Why not all of it can be reached; said where it was not. */
  readonly word: string
}

export const originalRows: readonly OriginalRow[] = [
  {
    name: 'ETS',
    perSecond: 500_000,
    p95Us: 10,
    ours: ['memory'],
    word: 'Updating checks, copies and freezes a kilobyte, so that no caller can change what another one holds: that alone takes longer than the 2 µs of this row. ETS copies flat terms in C.',
  },
  {
    name: 'DETS',
    perSecond: 50_000,
    p95Us: 1_000,
    ours: ['file', 'file relaxed'],
    word: 'A durable write waits for the disk: one caller alone makes no more of them than the disk makes syncs, many callers share one. DETS answers first and syncs every three minutes by default.',
  },
  {
    name: 'Mnesia',
    perSecond: 100_000,
    p95Us: 100,
    ours: ['redis', 'postgres', 'postgres unlogged'],
    word: 'Every call that is not answered by the cache crosses a socket to another process and back, which takes about as long as this row allows for all of it. Mnesia reads in the process that asks. Many callers at once share the way.',
  },
  {
    name: 'LevelDB',
    perSecond: 200_000,
    p95Us: 500,
    ours: ['leveldb', 'leveldb relaxed'],
    word: 'Reads that the cache answers reach it. A write is encoded and goes through the log of LevelDB in a thread of its own, and a durable one waits for the disk as well.',
  },
]
