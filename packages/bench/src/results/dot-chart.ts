import type { Family } from '../sessions/contestant.ts'
import { count } from '../sessions/tables.ts'
import { tickText } from '../sessions/tick-text.ts'
import type { Spread } from '../spread.ts'
import { chart } from './chart-style.ts'
import { logScale } from './log-scale.ts'
import { type Drawing, element, line, widthOf, words } from './svg.ts'

/** One figure of one contestant. */
export interface Dot {
  readonly who: string
  readonly isOurs: boolean
  readonly value: Spread
  /** What is said beside it. */
  readonly remark: string
}

export interface DotGroup {
  readonly title: string
  readonly dots: readonly Dot[]
}

const width = 860
const rowHeight = 20
const top = 66

/** Figures of many one below the other, most first in each group; the line through a dot goes from the least to the greatest. */
export function dotChart(title: string, subtitle: string, family: Family, groups: readonly DotGroup[]): Drawing {
  const dots = groups.flatMap((group) => group.dots)
  const left = 24 + Math.max(...dots.map(({ who }) => widthOf(who)))
  const right = width - 24 - Math.max(...dots.map((dot) => widthOf(told(dot))))
  const scale = logScale(
    dots.flatMap(({ value }) => [value.min, value.max]),
    left,
    right,
  )
  let y = top
  const drawnGroups = groups.map((group) => {
    y += rowHeight + 8
    const heading = words(group.title, 16, y, { class: 'own' })
    const rows = group.dots
      .toSorted((a, b) => b.value.median - a.value.median)
      .map((dot) => {
        y += rowHeight
        return row(dot, family, scale.at, right, y)
      })
    return [heading, ...rows].join('')
  })
  const bottom = y + 12
  const grid = scale.ticks.map((tick) =>
    [
      line('grid', scale.at(tick), top, scale.at(tick), bottom),
      words(tickText(tick), scale.at(tick), bottom + 18, { class: 'faint', 'text-anchor': 'middle' }),
    ].join(''),
  )
  return chart(
    title,
    width,
    bottom + 32,
    words(title, 16, 28, { class: 'title' }),
    words(subtitle, 16, 48, { class: 'faint' }),
    ...grid,
    ...drawnGroups,
  )
}

function row(dot: Dot, family: Family, at: (value: number) => number, right: number, y: number): Drawing {
  const { who, isOurs, value } = dot
  const kind = isOurs ? family : 'peer'
  const weight = isOurs ? { class: 'own' } : {}
  const middle = y - 4
  return [
    words(who, 16, y, weight),
    line(`spread ${kind}`, at(value.min), middle, at(value.max), middle),
    element('circle', { class: `dot ${kind}`, cx: at(value.median), cy: middle, r: 4.5 }),
    words(told(dot), right + 12, y, weight),
  ].join('')
}

function told({ value, remark }: Dot): string {
  return [count(value.median), remark].filter((part) => part !== '').join(' · ')
}
