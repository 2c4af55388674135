import type { Contestant, Family } from '../sessions/contestant.ts'
import { readings } from '../sessions/measures.ts'
import { ops } from '../sessions/ops.ts'
import type { Run } from '../sessions/rounds.ts'
import { besideOurs, count, short } from '../sessions/tables.ts'
import { spreadOf } from '../spread.ts'
import { type DotGroup, dotChart } from './dot-chart.ts'
import type { Drawing } from './svg.ts'

/** What deleting leaves to compare is what creating has: it is in the tables only. */
const shown = ops.filter((op) => op !== 'delete')

/** A backend beside its peers in one picture, at the load that says most of them; `undefined`: there are no such figures. */
export function overview(family: Family, entered: readonly Contestant[], runs: readonly Run[]): Drawing | undefined {
  const pictures = loadsOf(entered, runs).map((load) => ({ ...load, groups: groupsOf(entered, runs, load) }))
  const [most] = pictures.toSorted((a, b) => dotsIn(b.groups) - dotsIn(a.groups) || b.inFlight - a.inFlight)
  if (most === undefined || most.groups.length === 0) return undefined
  const how = `${count(most.sessions)} sessions of a kilobyte, ${count(most.inFlight)} ${most.inFlight === 1 ? 'call' : 'calls'} in flight`
  return dotChart(
    `${family} beside its peers: calls a second`,
    `${how}. Median, least and greatest of the rounds; further right is better.`,
    family,
    most.groups,
  )
}

interface ClosedLoad {
  readonly sessions: number
  readonly inFlight: number
}

function loadsOf(entered: readonly Contestant[], runs: readonly Run[]): ClosedLoad[] {
  const found = new Map<string, ClosedLoad>()
  for (const { job } of runs) {
    if (job.load.kind !== 'closed' || !entered.some(({ name }) => name === job.contestant)) continue
    for (const { inFlight } of job.load.cells) found.set(`${job.sessions} ${inFlight}`, { sessions: job.sessions, inFlight })
  }
  return [...found.values()]
}

function groupsOf(entered: readonly Contestant[], runs: readonly Run[], load: ClosedLoad): DotGroup[] {
  return shown.flatMap((op) => {
    const measure = { figure: 'ops/s', op, ...load } as const
    const dots = entered.flatMap(({ name, beside }) => {
      const speeds = [...readings(runs, name, measure).values()]
      if (speeds.length === 0) return []
      const ours = beside === undefined ? undefined : besideOurs(beside, name, measure, runs)
      const remark = ours === undefined ? '' : `${beside} does ${short(ours.bySpeed.median)} ×`
      return [{ who: name, isOurs: beside === undefined, value: spreadOf(speeds), remark }]
    })
    return dots.length === 0 ? [] : [{ title: op, dots }]
  })
}

function dotsIn(groups: readonly DotGroup[]): number {
  return groups.reduce((sum, { dots }) => sum + dots.length, 0)
}
