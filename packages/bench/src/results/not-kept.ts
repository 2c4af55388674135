/** Something that was tried to be faster, and is not in the code. */
export interface NotKept {
  readonly where: string
  readonly tried: string
  /** What it came to, beside what is kept. */
  readonly found: string
}

/** A line for each, with a figure: whoever has the same idea again can see what it came to. */
export const notKept: readonly NotKept[] = [
  {
    where: 'core',
    tried: 'structuredClone in both directions instead of frozen snapshots',
    found: '75,000 retrieves a second instead of 2,110,000',
  },
  {
    where: 'core',
    tried: 'msgpackr with shared records instead of JSON',
    found: 'half the bytes and a quarter of the decoding, but the table of shapes becomes data that must never be lost',
  },
  {
    where: 'core',
    tried: 'a copy of plain values that keeps no path, before the checked copy of all others',
    found: '9.3 µs a KB instead of 7.5: the property descriptors cost most, and both need them',
  },
  {
    where: 'memory',
    tried: 'a heap of deadlines that each touch rearranges',
    found: '428–1,124 ns a touch; a timing wheel 364–726 ns',
  },
  {
    where: 'sqlite',
    tried: 'WITHOUT ROWID',
    found: '15,000 creates a second instead of 40,000: the key is copied into every index',
  },
  {
    where: 'sqlite',
    tried: 'many rows in one INSERT instead of a prepared statement for each',
    found: '8.6–9.6 µs a row instead of 7.1–7.8',
  },
  {
    where: 'sqlite',
    tried: 'BLOB instead of TEXT; memory-mapped reading',
    found: 'BLOB 10–15 % slower, as it is decoded once more; mapping no gain',
  },
  {
    where: 'redis',
    tried: '`enableAutoPipelining` of ioredis instead of batches of our own',
    found: 'the same with 256 in flight, 20–37 % slower with 1 to 16',
  },
  {
    where: 'redis',
    tried: 'a hash for each record instead of a string',
    found: '1.3 times slower; a second connection and a Unix socket made no difference on two cores',
  },
  {
    where: 'postgres',
    tried: 'batches of writes on two to four connections instead of one',
    found: 'no faster on two cores, and batches that overlap deadlock unless their rows are locked in order',
  },
]
