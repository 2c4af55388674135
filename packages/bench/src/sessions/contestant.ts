import type { Op } from './ops.ts'
import type { Place, Store } from './store.ts'

/** Which backend of ours it is, or is compared with. */
export type Family = 'memory' | 'file' | 'sqlite' | 'leveldb' | 'redis' | 'postgres' | 'harness'

/** A store of ours, one of somebody else's, or a floor. */
export interface Contestant {
  /** Named once: in tables, gates and on the command line. */
  readonly name: string
  readonly family: Family
  /** Absent: ours. Else the store of ours that it is measured beside. */
  readonly beside?: string
  /** What an acknowledged write survives, and what else a reader of the table must know. */
  readonly note: string
  /** Absent: all of them. */
  readonly ops?: readonly Op[]
  /** Whose URL it gets; absent: it needs none. */
  readonly engine?: 'redis' | 'postgres'
  /** Loads what it measures, and nothing else. An error says why it cannot run here. */
  open(place: Place): Promise<Store>
}
