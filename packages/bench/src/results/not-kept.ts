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
    where: 'core',
    tried: 'objects that go on after a spread, `{ ...header, data }`, where calls are hot',
    found:
      'V8 11 (Node 20) gives each of them a hidden class of its own, and every later read misses its cache: 154,000 instructions an update instead of 112,000. With the spread last there is no such cost',
  },
  {
    where: 'core',
    tried: 'a WeakMap of records that were made and not read yet',
    found: 'an update needed 46 µs; keeping them in the cache at once, with what an update leaves alone uncopied, 22 µs',
  },
  {
    where: 'core',
    tried: 'a list with every use moved to its end, as a least-recently-used cache has it',
    found: 'two neighbours in no cache of the processor at each read; a mark, and a second chance for what is marked, is one write',
  },
  {
    where: 'core',
    tried: 'noting the instants that a touch has written in the cache, so that the next read finds the session as it is known',
    found: 'reads after touches 9.3 µs instead of 10.2 on Redis, but touches 13.5 instead of 11.5: what the note refers to grows old',
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
    where: 'sqlite',
    tried: '`PRAGMA data_version` before a read, which is left out where nothing was written since',
    found: '2.0 µs instead of 3.7 of the 9.5 µs of a read of a known session: not worth a second way to read',
  },
  {
    where: 'sqlite',
    tried: 'the log written back every 10 or 25 ms instead of 100, against stalls of the event loop',
    found: 'the stall came from the log growing to its limit under writes that never pause; a break of the writers at 16 MiB ended it',
  },
  {
    where: 'redis',
    tried: '`enableAutoPipelining` of ioredis instead of batches of our own',
    found: 'the same with 256 in flight, 20–37 % slower with 1 to 16',
  },
  {
    where: 'redis',
    tried: 'requests built by ioredis from strings, instead of one buffer',
    found:
      'of a replaced session of 1 KB 24–35 µs instead of 15–16: one character beyond Latin-1 makes a string of two bytes a character of the whole',
  },
  {
    where: 'redis',
    tried: 'a hash for each record instead of a string',
    found: '1.3 times slower; a second connection and a Unix socket made no difference on two cores',
  },
  {
    where: 'redis',
    tried: 'one, two or eight requests of writes under way instead of four; only full ones beside others',
    found: 'one and eight like four within the noise, two a tenth slower; only full ones 16.0 µs a call of the mixture instead of 14.8',
  },
  {
    where: 'postgres',
    tried: 'a second lane of writes beside a flush of 64 or more; two lanes of reads',
    found: 'between 28 % more and nothing, for 20 % more processor time of a write; reads 15.4 → 19.2 µs',
  },
  {
    where: 'postgres',
    tried: 'batches of writes on two to four connections instead of one',
    found: 'no faster on two cores, and batches that overlap deadlock unless their rows are locked in order',
  },
]
