import type { Family } from '../sessions/contestant.ts'
import { type Drawing, element } from './svg.ts'

/** The colours of a chart on one kind of screen. */
export interface Palette extends Readonly<Record<Family, string>> {
  readonly paper: string
  readonly ink: string
  readonly faint: string
  readonly grid: string
}

export const light: Palette = {
  paper: '#ffffff',
  ink: '#1f2328',
  faint: '#59636e',
  grid: '#dfe3e8',
  memory: '#1f2328',
  file: '#9a6700',
  sqlite: '#1a7f37',
  leveldb: '#a626a4',
  redis: '#d1242f',
  postgres: '#0969da',
  harness: '#59636e',
}

export const dark: Palette = {
  paper: '#0d1117',
  ink: '#e6edf3',
  faint: '#9198a1',
  grid: '#2a313c',
  memory: '#e6edf3',
  file: '#d9a520',
  sqlite: '#3fb950',
  leveldb: '#d670e0',
  redis: '#ff7b72',
  postgres: '#58a6ff',
  harness: '#9198a1',
}

const families: readonly Family[] = ['memory', 'file', 'sqlite', 'leveldb', 'redis', 'postgres', 'harness']

/** A whole chart, which follows the reader's choice of light or dark, and brings a ground of its own where the page does not. */
export function chart(title: string, width: number, height: number, ...content: readonly Drawing[]): Drawing {
  return `${element(
    'svg',
    { xmlns: 'http://www.w3.org/2000/svg', viewBox: `0 0 ${width} ${height}`, width, height, role: 'img', 'aria-label': title },
    element('style', {}, `${shapes}${colours(light)}@media (prefers-color-scheme: dark){${colours(dark)}}`),
    element('rect', { class: 'paper', width, height }),
    ...content.map((part) => `\n${part}`),
    '\n',
  )}\n`
}

const shapes =
  'text{font:12px system-ui,sans-serif}.title{font-size:15px;font-weight:600}.own{font-weight:600}' +
  '.grid,.spread,.leader{stroke-width:1}.curve{fill:none;stroke-width:2}.relaxed{stroke-dasharray:5 4}'

// Plain rules, no variables: not everything that shows a drawing knows those.
function colours(palette: Palette): string {
  const named = families.map((family) => `.${family}{stroke:${palette[family]}}.dot.${family}{fill:${palette[family]}}`)
  return [
    `.paper{fill:${palette.paper}}`,
    `text{fill:${palette.ink}}`,
    `.faint{fill:${palette.faint}}`,
    `.grid{stroke:${palette.grid}}`,
    `.peer{stroke:${palette.faint};fill:${palette.paper}}`,
    ...named,
  ].join('')
}
