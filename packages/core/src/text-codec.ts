import type { Codec } from './codec.ts'

/**
 * The built-in text format. `j` and plain JSON where JSON keeps the value exactly, else `t` and JSON in which everything that
 * JSON lacks is an object `{ "$": tag, "v": … }`. An object of the application that has a `$` itself, or a key that JSON
 * escapes, is wrapped likewise, as a list of its entries.
 * Both are durable formats: tags are added, never changed.
 */
export const textCodec: Codec = {
  encode: plainText,
  decode: (text) => {
    const value: unknown = JSON.parse(text.slice(1))
    if (text.startsWith('j')) return value
    if (text.startsWith('t')) return untagged(value, 0)
    throw new SyntaxError('unknown text format')
  },
}

/** What `textCodec` writes. */
export function plainText(value: unknown): string {
  return encodeText(value, !isPlain(value))
}

/** The same of a value of which a walk has told already whether it is plain, but for its keys. */
export function encodeText(value: unknown, exotic: boolean): string {
  if (!exotic) {
    const text = JSON.stringify(value)
    // Without an escape there is no odd key, which is cheaper to see than to look at every key.
    if (!text.includes('\\') || isPlain(value)) return `j${text}`
  }
  return `t${JSON.stringify(tagged(value))}`
}

const maxDepth = 500

function isPlain(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value) && !Object.is(value, -0)
  if (typeof value !== 'object' || value === null) return value !== undefined && typeof value !== 'bigint'
  if (Array.isArray(value)) return value.every(isPlain)
  return Object.getPrototypeOf(value) === Object.prototype && Object.entries(value).every(([key, item]) => !isOddKey(key) && isPlain(item))
}

/**
 * A key that JSON writes with an escape. V8 13.6 (Node 24.21) reads some of them as another key:
 * `JSON.parse('{"\\n\\\\":0,"\\ud800":1,"":2}')` has the key `\\` instead. Escapes in values are read as they are.
 */
function isOddKey(key: string): boolean {
  return /[\0-\x1f"\\\ud800-\udfff]/.test(key)
}

function tagged(value: unknown): unknown {
  switch (typeof value) {
    case 'undefined':
      return { $: 'undefined' }
    case 'bigint':
      // Decimal digits cost quadratic time: 0.9 s for a million of them, hexadecimal ones 1.5 ms.
      return { $: 'bigint', v: value < 0n ? `-${(-value).toString(16)}` : value.toString(16) }
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0) ? value : { $: Object.is(value, -0) ? '-0' : String(value) }
    case 'object':
      return value === null ? null : taggedObject(value)
    default:
      return value
  }
}

function taggedObject(value: object): unknown {
  if (Array.isArray(value)) return value.map(tagged)
  if (value instanceof Date) return { $: 'date', v: value.getTime() } // JSON makes null of NaN, an invalid date's
  if (value instanceof Map) return { $: 'map', v: [...value].map(([key, item]) => [tagged(key), tagged(item)]) }
  if (value instanceof Set) return { $: 'set', v: [...value].map(tagged) }
  if (value instanceof Uint8Array) return { $: 'bytes', v: Buffer.from(value).toString('base64') }
  const entries = Object.entries(value).map(([key, item]) => [key, tagged(item)] as const)
  if (Object.getPrototypeOf(value) === null) return { $: 'bare', v: entries }
  return entries.some(([key]) => key === '$' || isOddKey(key)) ? { $: 'object', v: entries } : Object.fromEntries(entries)
}

function untagged(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (depth > maxDepth) throw new SyntaxError('nested too deep')
  if (Array.isArray(value)) return value.map((item) => untagged(item, depth + 1))
  if (!('$' in value)) return untaggedMembers(Object.entries(value), {}, depth)
  return untaggedValue(value.$, 'v' in value ? value.v : undefined, depth)
}

const numbersWithoutJson: readonly unknown[] = ['NaN', 'Infinity', '-Infinity', '-0']

function untaggedValue(tag: unknown, content: unknown, depth: number): unknown {
  if (tag === 'undefined') return undefined
  if (numbersWithoutJson.includes(tag)) return Number(tag)
  if (tag === 'bigint' && typeof content === 'string') return bigintIn(content)
  if (tag === 'date') return new Date(typeof content === 'number' ? content : Number.NaN)
  if (tag === 'bytes' && typeof content === 'string') return new Uint8Array(Buffer.from(content, 'base64'))
  if (tag === 'map' && Array.isArray(content)) return new Map(content.map((entry) => untaggedEntry(entry, depth + 1)))
  if (tag === 'set' && Array.isArray(content)) return new Set(content.map((item) => untagged(item, depth + 1)))
  if (tag === 'object' && Array.isArray(content)) return untaggedMembers(content, {}, depth)
  if (tag === 'bare' && Array.isArray(content)) return untaggedMembers(content, Object.create(null), depth)
  throw new SyntaxError('unknown tag in stored text')
}

function bigintIn(text: string): bigint {
  return text.startsWith('-') ? -BigInt(`0x${text.slice(1)}`) : BigInt(`0x${text}`)
}

function untaggedEntry(entry: unknown, depth: number): [unknown, unknown] {
  if (!Array.isArray(entry) || entry.length !== 2) throw new SyntaxError('not a pair')
  return [untagged(entry[0], depth), untagged(entry[1], depth)]
}

function untaggedMembers(entries: readonly unknown[], members: Record<string, unknown>, depth: number): object {
  for (const entry of entries) {
    if (!Array.isArray(entry) || entry.length !== 2 || typeof entry[0] !== 'string') throw new SyntaxError('not a pair')
    if (entry[0] === '__proto__') throw new SyntaxError('an own __proto__ in stored text')
    members[entry[0]] = untagged(entry[1], depth + 1)
  }
  return members
}
