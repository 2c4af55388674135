import type { Measured } from './closed-loop.ts'
import type { LoopDelay } from './loop-delay.ts'
import type { MemoryPerSession } from './memory-use.ts'
import type { OpenLoopMeasured } from './open-loop.ts'
import type { Cell } from './ops.ts'

/** What one process measures of one contestant: a part of each round. */
export interface Job {
  readonly contestant: string
  /** Sessions that the store holds meanwhile. */
  readonly sessions: number
  /** How long each figure is measured, and warmed up before. */
  readonly seconds: number
  readonly warmUpSeconds: number
  /** Of ids and of the mixture. */
  readonly seed: number
  readonly load: Load
  /** How large each session's content is; absent: as `contentOf` makes it. */
  readonly recordBytes?: number
}

export type Load =
  /** Callers that ask again as soon as they are answered. */
  | { readonly kind: 'closed'; readonly cells: readonly Cell[]; readonly macrotask: boolean }
  /** The mixture at a fixed rate. */
  | { readonly kind: 'rate'; readonly perSecond: number }
  /** Deletes so many expired sessions, beside those that live; with `inFlight` callers of the mixture, or on its own with 0. */
  | { readonly kind: 'cleaning'; readonly expired: number; readonly inFlight: number }
  /** Opens, in a process that has just started, what another one has filled and closed. */
  | { readonly kind: 'opening' }

/** A figure of the closed loop. */
export interface MeasuredCell extends Cell, Measured {}

/** What deleting the expired sessions took, and did to others. */
export interface MeasuredCleaning extends LoopDelay {
  readonly deleted: number
  readonly cleaningMs: number
  /** Of the other callers, in the time before and meanwhile; absent: there were none. */
  readonly p99BeforeUs?: number
  readonly p99MeanwhileUs?: number
}

export interface MeasuredOpening extends LoopDelay {
  readonly openMs: number
}

/** What a process found; what its load did not ask for is absent. */
export interface JobResult extends Partial<MemoryPerSession> {
  readonly cells?: readonly MeasuredCell[]
  readonly rate?: OpenLoopMeasured
  readonly cleaning?: MeasuredCleaning
  readonly opening?: MeasuredOpening
  /** Live sessions that there were at the end; as many as there had to be, or the run fails. */
  readonly sessions?: number
}
