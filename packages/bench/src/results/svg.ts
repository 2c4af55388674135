/** A drawing, or a part of one, as text. What is written by anybody is escaped; what is no number is refused. */
export type Drawing = string

export function element(name: string, attributes: Readonly<Record<string, string | number>>, ...content: readonly Drawing[]): Drawing {
  const written = Object.entries(attributes).map(
    ([key, value]) => ` ${key}="${escaped(typeof value === 'number' ? rounded(value) : value)}"`,
  )
  return content.length === 0 ? `<${name}${written.join('')}/>` : `<${name}${written.join('')}>${content.join('')}</${name}>`
}

export function words(text: string, x: number, y: number, attributes: Readonly<Record<string, string | number>> = {}): Drawing {
  return element('text', { x, y, ...attributes }, escaped(text))
}

export function line(kind: string, x1: number, y1: number, x2: number, y2: number): Drawing {
  return element('line', { class: kind, x1, y1, x2, y2 })
}

/** How wide a text is at most, near enough: fonts differ. */
export function widthOf(text: string, size = 12): number {
  return text.length * size * 0.58
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}

function rounded(value: number): string {
  if (!Number.isFinite(value)) throw new RangeError(`${value} is no place in a drawing`)
  return String(Math.round(value * 10) / 10)
}
