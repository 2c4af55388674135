import type { Contestant, Family } from './contestant.ts'
import type { Job, Load } from './job.ts'
import { cellsOf, type Op } from './ops.ts'

/** What is to be measured of whom. */
export interface Request {
  readonly families: readonly Family[]
  /** Also what they are measured beside. */
  readonly peers: boolean
  readonly sessions: number
  readonly seconds: number
  readonly warmUpSeconds: number
  readonly seed: number
  readonly load:
    | { readonly kind: 'closed'; readonly ops: readonly Op[]; readonly inFlight: readonly number[]; readonly macrotask: boolean }
    | { readonly kind: 'rate'; readonly perSecond: number }
}

/** The jobs of one round. At a fixed rate the harness itself comes first: the others are read beside it. */
export function jobsOf(all: readonly Contestant[], request: Request): Job[] {
  const { families, peers, sessions, seconds, warmUpSeconds, seed } = request
  return all
    .filter(({ family }) => families.includes(family) || (family === 'harness' && request.load.kind === 'rate'))
    .filter(({ family, beside }) => peers || family === 'harness' || beside === undefined)
    .flatMap((contestant) =>
      loadsOf(contestant, request).map((load) => ({ contestant: contestant.name, sessions, seconds, warmUpSeconds, seed, load })),
    )
}

function loadsOf({ ops }: Contestant, { load }: Request): Load[] {
  if (load.kind === 'rate') return ops === undefined || ops.includes('mixed') ? [load] : []
  const cells = cellsOf(
    load.ops.filter((op) => ops === undefined || ops.includes(op)),
    load.inFlight,
  )
  return cells.length === 0 ? [] : [{ kind: 'closed', cells, macrotask: load.macrotask }]
}
