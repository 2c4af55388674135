import type { Measured } from './closed-loop.ts'
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
}

export type Load =
  /** Callers that ask again as soon as they are answered. */
  | { readonly kind: 'closed'; readonly cells: readonly Cell[]; readonly macrotask: boolean }
  /** The mixture at a fixed rate. */
  | { readonly kind: 'rate'; readonly perSecond: number }

/** A figure of the closed loop. */
export interface MeasuredCell extends Cell, Measured {}

/** What a process found. */
export interface JobResult {
  readonly cells: readonly MeasuredCell[]
  readonly rate?: OpenLoopMeasured
  /** Resident memory of the process that one session takes, and what of it V8 and its buffers account for. */
  readonly residentBytesPerSession: number
  readonly heapBytesPerSession: number
  /** Sessions that there were at the end; as many as there had to be, or the run fails. */
  readonly sessions: number
}
