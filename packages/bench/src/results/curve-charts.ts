import { contestantNamed } from '../sessions/contestants.ts'
import { axes, contestantsOf, curveTitle, isCleaning, placeText } from '../sessions/curve-tables.ts'
import type { Curve } from '../sessions/curves.ts'
import type { Figures } from '../sessions/figures-file.ts'
import type { Run } from '../sessions/rounds.ts'
import { count } from '../sessions/tables.ts'
import { lineChart } from './line-chart.ts'
import type { Drawing } from './svg.ts'

/** The curves that runs have measured, each once, with most of its points: a quick run has fewer. */
export function curvesIn(all: readonly Figures[]): Curve[] {
  const found = new Map<string, Curve>()
  for (const curve of all.flatMap(({ curves = [] }) => curves)) {
    const known = found.get(curveTitle(curve))
    if (known === undefined || known.points.length < curve.points.length) found.set(curveTitle(curve), curve)
  }
  return [...found.values()]
}

/** `undefined`: nobody has two points of it. */
export function curveChart(curve: Curve, runs: readonly Run[]): Drawing | undefined {
  const lines = contestantsOf(curve, runs)
    .filter(({ points }) => points.length > 1)
    .map(({ who, points }) => {
      const family = contestantNamed(who)?.family ?? 'harness'
      return { who, family, isRelaxed: who !== family, points }
    })
  if (lines.length === 0) return undefined
  const better = isCleaning(curve) ? 'Further down is better' : 'Further up is better'
  return lineChart({
    title: curveTitle(curve),
    subtitle: `${loadTold(curve)}. ${better}; both axes are logarithmic.`,
    axis: axes[curve.name],
    placeText: (at) => placeText(curve.name, at),
    lines,
  })
}

/** What all points have in common. */
function loadTold({ name, points }: Curve): string {
  const measure = points[0]?.measure
  if (measure === undefined) return ''
  const sessions = name === 'sessions' || name === 'live' ? [] : [`${count(measure.sessions)} sessions`]
  const inFlight = 'inFlight' in measure && name !== 'in-flight' ? [`${measure.inFlight} calls in flight`] : []
  const expired = 'expired' in measure && name === 'live' ? [`${count(measure.expired)} have expired`] : []
  return [...sessions, ...inFlight, ...expired, ...(name === 'record-size' ? [] : ['records of a kilobyte'])].join(', ')
}
