import type { Measure } from './measures.ts'
import type { Op } from './ops.ts'

/** What a release has to show. Judged by the median over the rounds; see `judge.ts`. */
export interface Gate {
  /** Whose figure it is. */
  readonly who: string
  readonly measure: Measure
  /** Absent: the figure stands for itself. Else it is compared with theirs, round by round. */
  readonly beside?: {
    readonly who: string
    readonly by: 'ratio' | 'difference'
    /** Where theirs is taken with another number in flight. */
    readonly inFlight?: number
  }
  readonly bar: { readonly atLeast: number } | { readonly atMost: number }
  /** What to aim at. */
  readonly stretch?: number
}

const ours10k = { sessions: 10_000 } as const

/** By operation: the least number of times as many calls a second as theirs, and what to aim at. */
type Times = Partial<Record<Op, readonly [gate: number, stretch?: number]>>

function times(who: string, other: string, inFlight: number, bars: Times, sessions = 10_000, theirInFlight = inFlight): Gate[] {
  return Object.entries(bars).map(([op, [gate, stretch]]) => ({
    who,
    measure: { figure: 'ops/s', op: op as Op, inFlight, sessions },
    beside: { who: other, by: 'ratio', ...(theirInFlight === inFlight ? {} : { inFlight: theirInFlight }) },
    bar: { atLeast: gate },
    ...(stretch === undefined ? {} : { stretch }),
  }))
}

/** At 4,000 calls of the mixture a second, beside the harness that asks a store that does nothing. */
function loopDelay(who: string): Gate[] {
  const load = { perSecond: 4_000, sessions: 20_000 } as const
  const idle = { who: 'idle harness', by: 'difference' } as const
  return [
    { who, measure: { figure: 'loop delay p99 ms', ...load }, beside: idle, bar: { atMost: 1.5 } },
    { who, measure: { figure: 'loop delay max ms', ...load }, beside: idle, bar: { atMost: 7 } },
  ]
}

/** Of 100,000 sessions half have expired. */
function cleaning(who: string, totalMs: number, loopMaxMs: number): Gate[] {
  const load = { expired: 50_000, sessions: 50_000 } as const
  return [
    { who, measure: { figure: 'cleaning ms', ...load }, bar: { atMost: totalMs } },
    { who, measure: { figure: 'cleaning loop max ms', ...load }, bar: { atMost: loopMaxMs } },
  ]
}

function opening(who: string): Gate[] {
  return [
    { who, measure: { figure: 'open ms', sessions: 100_000 }, bar: { atMost: 500 } },
    { who, measure: { figure: 'open ms', sessions: 1_000_000 }, bar: { atMost: 5_000 } },
    { who, measure: { figure: 'bytes a dormant session', sessions: 1_000_000 }, bar: { atMost: 700 } },
  ]
}

// Touching is two steps here, a read and a write, so that its bars are below those of a prototype that did both in one.
export const gates: readonly Gate[] = [
  ...times('memory', 'keyv', 1, { retrieve: [30, 45], mixed: [12, 20], update: [2.5, 4], create: [1.2, 2] }),
  ...times('memory', 'lru-cache', 1, { retrieve: [18, 30], mixed: [7, 11], update: [1.65, 3], create: [1.05, 1.7] }),
  ...times('memory', 'MemoryStore', 1, { retrieve: [12, 20], mixed: [8, 12], update: [1.5, 2.5] }, 100_000),
  ...times('memory', 'bare Map', 1, { retrieve: [0.45, 0.65], mixed: [0.5, 0.7] }, 100_000),
  {
    who: 'memory',
    measure: { figure: 'resident bytes a session', sessions: 100_000 },
    beside: { who: 'bare Map', by: 'ratio' },
    bar: { atMost: 1.2 },
    stretch: 0.75,
  },
  ...cleaning('memory', 20, 5),
  ...loopDelay('memory'),

  ...times('file relaxed', 'session-file-store', 256, { create: [20, 30], retrieve: [45, 80], update: [17, 30], mixed: [28, 45] }),
  ...times('file relaxed', 'unstorage fs', 256, { create: [25, 40], mixed: [22, 40], update: [6, 10] }),
  ...times('file', 'session-file-store', 256, { mixed: [20] }),
  ...times('file', 'file per session, fsync', 256, { create: [28, 40], touch: [60, 180], update: [22, 32], mixed: [22, 32] }),
  ...times('file', 'file per session, fsync', 1, { create: [5, 7] }),
  ...times('file', 'file per session, fsync', 16, { create: [30, 42] }),
  // A lone durable write takes at most twice as long as one sync.
  ...times('file', 'fdatasync', 1, { create: [0.5, 0.6] }),
  { who: 'file', measure: { figure: 'ops/s', op: 'mixed', inFlight: 256, ...ours10k }, bar: { atLeast: 50_000 } },
  ...cleaning('file', 60, 5),
  ...opening('file'),
  ...loopDelay('file'),

  ...times('sqlite relaxed', 'better-sqlite3 NORMAL', 256, {
    create: [3.2, 4.5],
    touch: [2, 6.5],
    update: [2.4, 3.5],
    mixed: [3.3, 6],
    retrieve: [3, 4],
  }),
  ...times('sqlite relaxed', 'better-sqlite3 NORMAL', 1, { create: [1, 1.2], touch: [0.7, 2], update: [1.1, 1.5], mixed: [1.7, 2.2] }),
  ...times('sqlite', 'better-sqlite3 FULL', 256, { create: [7.5, 10], touch: [5, 14], update: [6.5, 9], mixed: [7.5, 11] }),
  ...times('sqlite relaxed', '@keyv/sqlite 4', 256, { mixed: [28, 50], create: [40, 65] }),
  ...times('sqlite relaxed', 'insert in one transaction', 256, { create: [0.4, 0.55] }),
  ...cleaning('sqlite', 1_300, 8),
  ...loopDelay('sqlite'),

  ...times('leveldb relaxed', 'classic-level', 256, {
    retrieve: [4.5, 7],
    touch: [1, 3],
    update: [1.2, 2],
    mixed: [2.2, 3.2],
    create: [0.9, 1.6],
  }),
  ...times('leveldb relaxed', 'classic-level', 1, { retrieve: [8, 14] }),
  ...times('leveldb', 'classic-level sync', 256, { create: [2.6, 4], touch: [2, 5.5], update: [2, 3], mixed: [2.4, 3.2] }),
  ...cleaning('leveldb', 900, 10),
  ...loopDelay('leveldb'),

  ...times('redis', 'connect-redis', 256, { retrieve: [2.6, 4], touch: [0.9, 3.5], update: [1.8, 2.5], mixed: [2.4, 3.5] }),
  ...times('redis', '@keyv/redis', 256, { retrieve: [3.3, 5], touch: [1.5, 6], update: [1.8, 2.5], mixed: [3.2, 4.5] }),
  ...times('redis', 'ioredis', 256, { mixed: [2.1, 3] }),
  ...times('redis', 'ioredis', 1, { retrieve: [0.85, 1], touch: [0.9, 2.1], mixed: [1, 1.1] }),
  ...loopDelay('redis'),

  ...times('postgres', 'connect-pg-simple', 256, {
    create: [4.4, 6],
    retrieve: [8, 11],
    touch: [3.5, 11],
    update: [4.2, 6],
    mixed: [5, 7],
  }),
  ...times('postgres', 'pg', 256, { create: [3.5, 4.5], retrieve: [3.8, 5], touch: [3, 9], update: [3.5, 5], mixed: [4, 5.5] }),
  ...times('postgres', 'pg', 1, { create: [0.9], retrieve: [0.9], touch: [0.75, 1.8], update: [0.9], mixed: [0.9] }),
  ...times('postgres', 'pgbench', 256, { retrieve: [1.6, 2], create: [1.5, 2] }, 10_000, 16),
  ...cleaning('postgres', 100, 5),
  {
    who: 'postgres',
    measure: { figure: 'p99 × while cleaning', inFlight: 256, expired: 100_000, sessions: 10_000 },
    bar: { atMost: 2 },
  },
  ...loopDelay('postgres'),
]
