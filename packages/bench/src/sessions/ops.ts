/** What is asked of a store, in the order in which a run asks it: what makes and removes sessions comes last. */
export const ops = ['retrieve', 'touch', 'update', 'mixed', 'create', 'delete'] as const

/** `mixed`: of 100 calls 80 retrieve, 10 touch, 10 update. */
export type Op = (typeof ops)[number]

/** One figure of a closed loop: an operation, and how many callers ask for it at once, each again as soon as it is answered. */
export interface Cell {
  readonly op: Op
  readonly inFlight: number
}

/** In the order in which they are measured. */
export function cellsOf(chosen: readonly Op[], inFlight: readonly number[]): Cell[] {
  return inFlight.flatMap((callers) => ops.filter((op) => chosen.includes(op)).map((op) => ({ op, inFlight: callers })))
}
