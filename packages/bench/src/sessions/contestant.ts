import type { Measured } from './closed-loop.ts'
import type { Cell, Op } from './ops.ts'
import type { Place, Store } from './store.ts'

/** Which backend of ours it is, or is compared with. */
export type Family = 'memory' | 'file' | 'sqlite' | 'leveldb' | 'redis' | 'postgres' | 'harness'

/** A store of ours, one of somebody else's, or a floor. */
export type Contestant = StoreContestant | ProgramContestant

interface Entrant {
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
}

export interface StoreContestant extends Entrant {
  /** Loads what it measures, and nothing else. `NotHere` says why it cannot run on this machine. */
  open(place: Place): Promise<Store>
}

/** What an engine says of itself, by a program of its own. */
export interface ProgramContestant extends Entrant {
  /** For about that long. `NotHere` where the program is not installed. */
  measure(place: Place, cell: Cell, seconds: number): Promise<Measured>
}
