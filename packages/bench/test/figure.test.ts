import { expect, test } from 'vitest'
import { type Figure, holds } from '../src/figure.ts'
import { jsonText, tableText } from '../src/report.ts'

const figure: Figure = { what: 'a tool', who: 'memory', unit: 'times', median: 1.15, min: 1, max: 2 }

test('a bar is for the median: it holds at the bar, and not above, whatever the spread', () => {
  expect(holds({ ...figure, bar: 1.15 })).toBe(true)
  expect(holds({ ...figure, bar: 1.14 })).toBe(false)
  expect(holds({ ...figure, median: Number.NaN, bar: 1.15 })).toBe(false)
})

test('a figure without a bar holds', () => {
  expect(holds({ ...figure, median: 1_000 })).toBe(true)
})

test('the table shows the bar beside the figure, and whether it holds', () => {
  const failing = { ...figure, who: 'sqlite', bar: 1.1 }
  const text = tableText({ title: 'title', notes: ['note'], figures: [{ ...figure, bar: 1.2 }, failing, { ...figure, who: 'peer' }] })
  const rows = text.split('\n').map((line) => line.split('│').map((cell) => cell.trim()))
  expect(rows.find((row) => row[2] === 'memory')?.slice(1, -1)).toEqual(['a tool', 'memory', '1.15 ×', '1.00 × – 2.00 ×', '1.20 ×', 'yes'])
  expect(rows.find((row) => row[2] === 'sqlite')?.slice(5, -1)).toEqual(['1.10 ×', 'NO'])
  expect(rows.find((row) => row[2] === 'peer')?.slice(5, -1)).toEqual(['', ''])
  expect(text.startsWith('title\n')).toBe(true)
  expect(text.endsWith('\nnote')).toBe(true)
})

test('the JSON is one line, and says whether each bar holds', () => {
  const text = jsonText({ title: 'title', notes: [], figures: [{ ...figure, bar: 1.1 }, figure] })
  expect(text).not.toContain('\n')
  expect(JSON.parse(text)).toEqual({ title: 'title', notes: [], figures: [{ ...figure, bar: 1.1, holds: false }, figure] })
})
