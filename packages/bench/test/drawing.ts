/** An element of a drawing, with the text directly in it. */
export interface DrawnElement {
  readonly name: string
  readonly attributes: ReadonlyMap<string, string>
  text: string
}

const token = /<(\/?)([a-z]+)((?: [a-zA-Z0-9-]+="[^"<&]*(?:&(?:amp|lt|gt|quot);[^"<&]*)*")*)(\/?)>|([^<&]+|&(?:amp|lt|gt|quot);)/y

/** Every element of an XML text in its order. Throws where the text is not well-formed. */
export function elementsIn(xml: string): DrawnElement[] {
  const found: DrawnElement[] = []
  const open: DrawnElement[] = []
  token.lastIndex = 0
  while (token.lastIndex < xml.length) {
    const at = token.lastIndex
    const match = token.exec(xml)
    if (match === null) throw new SyntaxError(`Not well-formed: ${xml.slice(at, at + 80)}`)
    const [, closing, name = '', attributes = '', selfClosing, text] = match
    if (text !== undefined) {
      const parent = open.at(-1)
      if (parent !== undefined) parent.text += unescaped(text)
      else if (text.trim() !== '') throw new SyntaxError(`Text outside: ${text}`)
    } else if (closing === '/') {
      const opened = open.pop()
      if (opened?.name !== name) throw new SyntaxError(`</${name}> closes ${opened?.name}`)
    } else {
      const element = { name, attributes: attributesIn(attributes), text: '' }
      if (open.length === 0 && found.length > 0) throw new SyntaxError('A second root')
      found.push(element)
      if (selfClosing !== '/') open.push(element)
    }
  }
  if (open.length > 0) throw new SyntaxError(`${open.at(-1)?.name} is never closed`)
  return found
}

function attributesIn(text: string): Map<string, string> {
  const all = [...text.matchAll(/ ([a-zA-Z0-9-]+)="([^"]*)"/g)].map(([, name = '', value = '']) => [name, unescaped(value)] as const)
  const found = new Map(all)
  if (found.size < all.length) throw new SyntaxError(`Twice the same attribute: ${text}`)
  return found
}

function unescaped(text: string): string {
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&amp;', '&')
}

/** Where a text of a drawing lies, as far as its letters let one tell. */
export interface Box {
  readonly text: string
  readonly left: number
  readonly right: number
  readonly top: number
  readonly bottom: number
}

export function textBoxes(elements: readonly DrawnElement[]): Box[] {
  return elements
    .filter(({ name }) => name === 'text')
    .map(({ attributes, text }) => {
      const size = attributes.get('class') === 'title' ? 15 : 12
      const width = text.length * size * 0.55
      const x = numberIn(attributes, 'x')
      const anchor = attributes.get('text-anchor') ?? 'start'
      const left = x - { start: 0, middle: width / 2, end: width }[anchor as 'start' | 'middle' | 'end']
      const y = numberIn(attributes, 'y')
      return { text, left, right: left + width, top: y - 0.8 * size, bottom: y + 0.2 * size }
    })
}

export function numberIn(attributes: ReadonlyMap<string, string>, name: string): number {
  return Number(attributes.get(name))
}
