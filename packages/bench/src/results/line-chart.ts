import type { Family } from '../sessions/contestant.ts'
import { tickText } from '../sessions/tick-text.ts'
import type { Spread } from '../spread.ts'
import { apart } from './apart.ts'
import { chart } from './chart-style.ts'
import { logScale } from './log-scale.ts'
import { type Drawing, element, line, widthOf, words } from './svg.ts'

/** One curve. */
export interface Line {
  readonly who: string
  readonly family: Family
  /** Drawn with gaps, beside the same backend in its strict mode. */
  readonly isRelaxed: boolean
  readonly points: readonly { readonly at: number; readonly value: Spread }[]
}

export interface LineChart {
  readonly title: string
  readonly subtitle: string
  readonly axis: string
  readonly placeText: (at: number) => string
  readonly lines: readonly Line[]
}

const width = 860
const height = 460
const left = 64
const top = 72
const bottom = height - 56
const labelHeight = 16

/** Curves on two logarithmic axes; each is named where it ends, so that the names stand in the order of the lines. */
export function lineChart({ title, subtitle, axis, placeText, lines }: LineChart): Drawing {
  const points = lines.flatMap((one) => one.points)
  const right = width - 56 - Math.max(...lines.map(({ who }) => widthOf(who)))
  const x = logScale(
    points.map(({ at }) => at),
    left + 12,
    right - 12,
    'given',
  )
  const values = points.flatMap(({ value }) => [value.min, value.max])
  const y = logScale(
    // Never less than a decade: noise must not look like a slope.
    [...values, Math.max(...values) / 10],
    bottom,
    top,
  )
  const places = [...new Set(points.map(({ at }) => at))]
  const named = apart(
    lines.map((one) => ({ line: one, at: y.at(one.points.at(-1)?.value.median ?? Number.NaN) })),
    labelHeight,
    top,
    bottom,
  )
  return chart(
    title,
    width,
    height,
    words(title, 16, 28, { class: 'title' }),
    words(subtitle, 16, 48, { class: 'faint' }),
    ...y.ticks.map((tick) => line('grid', left, y.at(tick), right, y.at(tick)) + words(tickText(tick), left - 8, y.at(tick) + 4, faintEnd)),
    ...places.map((at) => words(placeText(at), x.at(at), bottom + 20, { class: 'faint', 'text-anchor': 'middle' })),
    words(axis, (left + right) / 2, bottom + 42, { class: 'faint', 'text-anchor': 'middle' }),
    ...lines.map((one) => curve(one, x.at, y.at)),
    ...named.map(({ line: one, at, moved }) => name(one, x.at(one.points.at(-1)?.at ?? Number.NaN), right, at, moved)),
  )
}

const faintEnd = { class: 'faint', 'text-anchor': 'end' }

function curve({ family, isRelaxed, points }: Line, x: (at: number) => number, y: (value: number) => number): Drawing {
  const kind = isRelaxed ? `${family} relaxed` : family
  const path = points.map(({ at, value }) => `${x(at).toFixed(1)},${y(value.median).toFixed(1)}`).join(' ')
  return [
    ...points.map(({ at, value }) => line(`spread ${family}`, x(at), y(value.min), x(at), y(value.max))),
    element('polyline', { class: `curve ${kind}`, points: path }),
    ...points.map(({ at, value }) => element('circle', { class: `dot ${family}`, cx: x(at), cy: y(value.median), r: 3 })),
  ].join('')
}

function name({ who, family, isRelaxed }: Line, end: number, right: number, from: number, to: number): Drawing {
  const kind = isRelaxed ? `${family} relaxed` : family
  return [
    line(`leader ${family}`, end + 5, from, right + 12, to),
    line(`curve ${kind}`, right + 12, to, right + 32, to),
    words(who, right + 38, to + 4),
  ].join('')
}
