import type { Measure } from './measures.ts'
import type { Op } from './ops.ts'

export const curveNames = ['in-flight', 'sessions', 'record-size', 'expired', 'live'] as const

export type CurveName = (typeof curveNames)[number]

/** A figure against something that it depends on. */
export interface Curve {
  readonly name: CurveName
  /** Absent: it is about cleaning up. */
  readonly op?: Op
  readonly points: readonly CurvePoint[]
}

interface CurvePoint {
  /** Calls in flight, sessions or bytes: what the curve is named after. */
  readonly at: number
  readonly measure: Measure
}

/** What they are measured at. */
interface Places {
  readonly inFlight: readonly number[]
  readonly sessions: readonly number[]
  readonly recordBytes: readonly number[]
  readonly cleaned: readonly number[]
  /** Sessions that there are while something else is varied. */
  readonly usual: number
  readonly usualInFlight: number
  /** Fewer of both: a store of the largest records must fit into memory, and a batch of them through a socket in time. */
  readonly ofSizes: number
  readonly ofSizesInFlight: number
}

const full: Places = {
  inFlight: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024],
  sessions: [10_000, 100_000, 1_000_000],
  recordBytes: [100, 1_024, 4_096, 16_384, 65_536, 262_144],
  cleaned: [1_000, 10_000, 100_000],
  usual: 10_000,
  usualInFlight: 256,
  ofSizes: 1_000,
  ofSizesInFlight: 16,
}

const quick: Places = {
  inFlight: [1, 8, 64],
  sessions: [200, 2_000],
  recordBytes: [100, 1_024, 16_384],
  cleaned: [100, 1_000],
  usual: 200,
  usualInFlight: 16,
  ofSizes: 50,
  ofSizesInFlight: 16,
}

/** The curves of those names; `quick`: fewer points, and smaller ones. */
export function curvesOf(names: readonly CurveName[], isQuick: boolean): Curve[] {
  const places = isQuick ? quick : full
  return [
    ...(['retrieve', 'update', 'mixed'] as const).map((op) => inFlightCurve(op, places)),
    ...(['retrieve', 'mixed'] as const).map((op) => sessionsCurve(op, places)),
    ...(['retrieve', 'update'] as const).map((op) => sizeCurve(op, places)),
    expiredCurve(places),
    liveCurve(places),
  ].filter(({ name }) => names.includes(name))
}

function inFlightCurve(op: Op, { inFlight, usual }: Places): Curve {
  const points = inFlight.map((at) => ({ at, measure: { figure: 'ops/s', op, inFlight: at, sessions: usual } as const }))
  return { name: 'in-flight', op, points }
}

function sessionsCurve(op: Op, { sessions, usualInFlight }: Places): Curve {
  const points = sessions.map((at) => ({ at, measure: { figure: 'ops/s', op, inFlight: usualInFlight, sessions: at } as const }))
  return { name: 'sessions', op, points }
}

function sizeCurve(op: Op, { recordBytes, ofSizes, ofSizesInFlight }: Places): Curve {
  const load = { figure: 'ops/s', op, inFlight: ofSizesInFlight, sessions: ofSizes } as const
  return { name: 'record-size', op, points: recordBytes.map((at) => ({ at, measure: { ...load, recordBytes: at } })) }
}

function expiredCurve({ cleaned, usual }: Places): Curve {
  return {
    name: 'expired',
    points: cleaned.map((at) => ({ at, measure: { figure: 'cleaning ms', expired: at, sessions: usual } as const })),
  }
}

function liveCurve({ cleaned, usual }: Places): Curve {
  return {
    name: 'live',
    points: cleaned.map((at) => ({ at, measure: { figure: 'cleaning ms', expired: usual, sessions: at } as const })),
  }
}
