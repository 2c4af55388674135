import { expect, test } from 'vitest'
import { dark, light } from '../src/results/chart-style.ts'
import { notKept } from '../src/results/not-kept.ts'
import { originalRows } from '../src/results/original.ts'
import { pageOf } from '../src/results/page.ts'
import { element, words } from '../src/results/svg.ts'
import { contestants, ownFamilies } from '../src/sessions/contestants.ts'
import { curveNames } from '../src/sessions/curves.ts'
import type { Figures } from '../src/sessions/figures-file.ts'
import { gateTable } from '../src/sessions/gate-table.ts'
import { type Gate, gates } from '../src/sessions/gates.ts'
import type { Job } from '../src/sessions/job.ts'
import { judge } from '../src/sessions/judge.ts'
import { contrast } from './contrast.ts'
import { elementsIn, numberIn, textBoxes } from './drawing.ts'
import { madeUpCheck, madeUpCurves } from './made-up-figures.ts'

const known = contestants.map(({ name }) => name)
const ours = contestants.filter(({ family, beside }) => family !== 'harness' && beside === undefined).map(({ name }) => name)

/** Everybody as fast as nobody else, and faster from round to round: some gates hold, others do not. */
function speedOf({ contestant }: Pick<Job, 'contestant'>, round: number): number {
  return 1_000 * 1.25 ** ((known.indexOf(contestant) * 17) % known.length) * (1 + round / 10)
}

const check = madeUpCheck(speedOf)
const page = pageOf([check, madeUpCurves(curveNames, ours, speedOf)])
const charts = [...page.charts].map(([name, drawing]) => ({ name, drawing }))

/** The part of a page under a heading. */
function part(heading: string, text: string = page.text): string {
  return text.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? ''
}

/** The cells of the tables in a part of a page, without their heads. */
function rowsIn(text: string): string[][] {
  const rows = text.split('\n').filter((line) => line.startsWith('| '))
  return rows
    .filter((row, at) => !row.startsWith('| ---') && rows[at + 1]?.startsWith('| ---') !== true)
    .map((row) => row.slice(2, -2).split(' | '))
}

test('every gate occurs once, with its ratio and spread; just those that fall short are marked', () => {
  const rows = rowsIn(part('Gates'))
  const judged = gates.map((gate) => judge(gate, { ...check, known }))
  const expected = gateTable(judged)[0]?.rows ?? []
  expect(rows.map((cells) => cells.slice(0, -1))).toEqual(expected.map((cells) => cells.slice(0, -1)))
  expect(new Set(rows.map((cells) => cells.slice(0, 4).join())).size).toBe(gates.length)
  expect(rows.map((cells) => cells.at(-1)?.startsWith('❌ **falls short') === true)).toEqual(
    judged.map(({ verdict }) => verdict === 'falls short'),
  )
  expect(new Set(judged.map(({ verdict }) => verdict)).size).toBeGreaterThan(1)
  expect(part('Gates')).toContain('The check fails')
})

test('without figures every gate is there and not run, and nothing else is claimed', () => {
  const { text, charts: none } = pageOf([])
  const rows = rowsIn(part('Gates', text))
  expect(rows.length).toBe(gates.length)
  expect(rows.every((cells) => cells.at(-1)?.startsWith('not run'))).toBe(true)
  expect(part('Gates', text)).toContain('The check fails')
  expect(rowsIn(part("The original's table", text)).every((cells) => cells.includes('not measured'))).toBe(true)
  expect(none.size).toBe(0)
})

test('each backend stands beside its peers, and each row says what an acknowledged write survives', () => {
  for (const family of ownFamilies) {
    const rows = rowsIn(part(family))
    const measured = new Set(check.runs.map(({ job }) => job.contestant))
    for (const { name, note } of contestants.filter((one) => one.family === family && measured.has(one.name))) {
      expect(rows.filter(([who]) => who === name).length).toBeGreaterThan(0)
      for (const cells of rows.filter(([who]) => who === name)) expect(cells.at(-1)).toBe(note)
    }
  }
})

test("every row of the original's table has ours beside it, and a word where ours does not reach it", () => {
  const rows = rowsIn(part("The original's table"))
  expect(rows.map(([name, , who]) => `${name} ${who}`)).toEqual(originalRows.flatMap((row) => row.ours.map((who) => `${row.name} ${who}`)))
  for (const cells of rows) {
    const word = originalRows.find(({ name }) => name === cells[0])?.word
    const saysAll = cells[7] === 'retrieve, mixed, update; latency' || cells[7] === 'not measured'
    expect(cells[8]?.trim()).toBe(saysAll ? '' : word)
  }
  const fast = rowsIn(part("The original's table", pageOf([madeUpCheck(() => 1e6)]).text))
  expect(fast.some((cells) => cells[7] === 'retrieve, mixed, update; latency')).toBe(true)
  const slow = rowsIn(part("The original's table", pageOf([madeUpCheck(() => 1)]).text)).filter((cells) => cells[7] !== 'not measured')
  expect(slow.length).toBeGreaterThan(0)
  for (const cells of slow) expect(cells[7]).toMatch(/^\*\*not the throughput\*\*; (\*\*not the latency\*\*|latency not measured)$/)
})

test('what was tried and not kept is told line by line', () => {
  expect(rowsIn(part('Tried and not kept'))).toEqual(notKept.map(({ where, tried, found }) => [where, tried, found]))
})

test('what could not be measured is named, with its reason', () => {
  const [run] = check.runs
  if (run === undefined) throw new Error('no run')
  const failures = [{ round: 0, job: run.job, reason: 'Error: a | b\n    at here', isHere: true }]
  expect(part('Not measured', pageOf([{ ...check, failures }]).text)).toContain(`| ${run.job.contestant} | **failed** | Error: a \\| b |`)
})

test('the page shows every chart that there is, once, and no other', () => {
  const shown = [...page.text.matchAll(/\]\(charts\/([^)]+)\)/g)].map(([, name]) => name)
  expect(shown.toSorted()).toEqual(charts.map(({ name }) => name).toSorted())
  expect(shown).toEqual(expect.arrayContaining(ownFamilies.map((family) => `${family}.svg`)))
  expect(page.text).not.toMatch(/NaN|undefined|Infinity/)
})

test.each(charts)('$name is well-formed, without a figure that is none, and no two texts of it overlap or leave it', ({ drawing }) => {
  const elements = elementsIn(drawing)
  const [root] = elements
  expect(root).toMatchObject({ name: 'svg' })
  expect(drawing).not.toMatch(/NaN|undefined|Infinity/)
  const boxes = textBoxes(elements)
  const overlapping = boxes.flatMap((a, at) =>
    boxes
      .slice(at + 1)
      .filter((b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom)
      .map((b) => [a.text, b.text]),
  )
  expect(overlapping).toEqual([])
  const width = numberIn(root?.attributes ?? new Map(), 'width')
  expect(boxes.filter(({ left, right }) => left < 0 || right > width)).toEqual([])
})

test('names stand beside curves in the order in which the curves end', () => {
  const elements = elementsIn(page.charts.get('in-flight-mixed.svg') ?? '')
  const names = elements.filter(({ name, text }) => name === 'text' && ours.includes(text)).toSorted((a, b) => yOf(a) - yOf(b))
  const speed = (contestant: string) => speedOf({ contestant }, 0)
  const bySpeed = ours.toSorted((a, b) => speed(b) - speed(a))
  expect(names.map(({ text }) => text)).toEqual(bySpeed)
})

function yOf({ attributes }: { readonly attributes: ReadonlyMap<string, string> }): number {
  return numberIn(attributes, 'y')
}

test.each([
  { scheme: 'light', palette: light },
  { scheme: 'dark', palette: dark },
])('every line and text of a chart can be told from the ground in the $scheme scheme', ({ palette }) => {
  const { paper, grid: _, ink, faint, ...lines } = palette
  for (const colour of [ink, faint]) expect(contrast(colour, paper)).toBeGreaterThanOrEqual(4.5)
  for (const colour of Object.values(lines)) expect(contrast(colour, paper)).toBeGreaterThanOrEqual(3)
})

test('a chart has a ground of its own in both schemes, and follows the reader', () => {
  for (const { drawing } of charts) {
    const [bright = '', dim = ''] = (elementsIn(drawing).find(({ name }) => name === 'style')?.text ?? '').split(
      '@media (prefers-color-scheme: dark)',
    )
    expect(bright).toContain(`.paper{fill:${light.paper}}`)
    expect(dim).toContain(`.paper{fill:${dark.paper}}`)
  }
})

const oneGate: Gate = {
  who: 'memory',
  measure: { figure: 'ops/s', op: 'mixed', inFlight: 1, sessions: 10_000 },
  beside: { who: 'keyv', by: 'ratio' },
  bar: { atLeast: 12 },
}

test('runs are merged backend by backend, and a ratio never crosses from one run to another', () => {
  const fast = madeUpCheck(({ contestant }) => (contestant === 'memory' ? 300 : 100), [oneGate])
  const alone = madeUpCheck(() => 1, [oneGate])
  const slow = { ...alone, runs: alone.runs.filter(({ job }) => job.contestant === 'keyv') }
  const ratio = (all: readonly Figures[]) =>
    rowsIn(part('Gates', pageOf(all).text)).find(([who, what]) => who === 'memory' && what?.startsWith('mixed ops/s, 1'))
  expect(ratio([fast, slow])?.slice(5, 7)).toEqual(['3', '3 – 3'])

  const split = ownFamilies.map((family) => ({
    ...check,
    runs: check.runs.filter(({ job }) =>
      contestants.some((one) => one.name === job.contestant && [family, 'harness'].includes(one.family)),
    ),
  }))
  expect(rowsIn(part('Gates', pageOf(split).text))).toEqual(rowsIn(part('Gates', pageOf([check]).text)))
})

test('a curve has at each of its places what was measured there', () => {
  const bytes = ({ recordBytes = 1 }: Job) => recordBytes
  const sizes = rowsIn(part('Curves', pageOf([madeUpCurves(['record-size'], ['memory'], bytes)]).text))
  expect(sizes).toEqual([0, 1].map(() => ['memory', '100', '1,024', '4,096', '16,384', '65,536', '262,144']))
  const cleaning = rowsIn(part('Curves', pageOf([madeUpCurves(['expired'], ['memory'], () => 1e6)]).text))
  expect(cleaning).toEqual([['memory', '1', '10', '100']])
})

test('of a quick and a whole curve the whole one is shown, and nobody has a curve of one point', () => {
  const whole = madeUpCurves(['sessions'], ['memory'], speedOf)
  const short = { ...whole, curves: whole.curves?.map((curve) => ({ ...curve, points: curve.points.slice(0, 1) })) ?? [] }
  for (const all of [
    [whole, short],
    [short, whole],
  ]) {
    expect(rowsIn(part('Curves', pageOf(all).text))[0]?.length).toBe(4)
  }
  expect(pageOf([short]).charts.size).toBe(0)
})

test('what is written into a chart is escaped, and a place that is none is refused', () => {
  const text = 'a < b & "c"'
  const [, drawn] = elementsIn(element('svg', { title: text }, words(text, 1, 2)))
  expect(drawn?.text).toBe(text)
  expect(elementsIn(element('svg', { title: text }))[0]?.attributes.get('title')).toBe(text)
  expect(() => words(text, Number.NaN, 0)).toThrow(RangeError)
})
