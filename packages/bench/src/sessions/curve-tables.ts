import { type Spread, spreadOf } from '../spread.ts'
import { contestants } from './contestants.ts'
import type { Curve, CurveName } from './curves.ts'
import { readings } from './measures.ts'
import type { Run } from './rounds.ts'
import { type Table, tableOf } from './table.ts'
import { count, short } from './tables.ts'
import { bytesText, tickText } from './tick-text.ts'

/** A curve of one contestant: what was measured of it, in the order of its places. */
export interface CurveOf {
  readonly who: string
  readonly points: readonly { readonly at: number; readonly value: Spread }[]
}

/** By whom it was measured, in their usual order. */
export function contestantsOf(curve: Curve, runs: readonly Run[]): CurveOf[] {
  return contestants.flatMap(({ name }) => {
    const points = curve.points.flatMap(({ at, measure }) => {
      const values = [...readings(runs, name, measure).values()]
      return values.length === 0 ? [] : [{ at, value: spreadOf(values) }]
    })
    return points.length === 0 ? [] : [{ who: name, points }]
  })
}

/** A row for each contestant, a column for each place. */
export function curveTables(curves: readonly Curve[], runs: readonly Run[]): Table[] {
  return curves.flatMap((curve) => {
    const show = isCleaning(curve) ? short : count
    const rows = contestantsOf(curve, runs).map(({ who, points }) => [
      who,
      ...curve.points.map(({ at }) => {
        const point = points.find((one) => one.at === at)
        return point === undefined ? '' : show(point.value.median)
      }),
    ])
    return tableOf(curveTitle(curve), [axes[curve.name], ...curve.points.map(({ at }) => placeText(curve.name, at))], rows)
  })
}

export function curveTitle(curve: Curve): string {
  const { name } = curve
  if (name === 'expired') return 'milliseconds of cleaning, by expired sessions'
  if (name === 'live') return 'milliseconds of cleaning, by sessions that live on'
  return `${curve.op} calls a second, by ${axes[name]}`
}

export function isCleaning({ name }: Pick<Curve, 'name'>): boolean {
  return name === 'expired' || name === 'live'
}

export const axes: Readonly<Record<CurveName, string>> = {
  'in-flight': 'calls in flight',
  sessions: 'sessions in the store',
  'record-size': 'size of a record',
  expired: 'expired sessions',
  live: 'live sessions',
}

export function placeText(name: CurveName, at: number): string {
  if (name === 'in-flight') return count(at)
  return name === 'record-size' ? bytesText(at) : tickText(at)
}
