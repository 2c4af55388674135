import { types } from 'node:util'
import { SessionError } from './errors.ts'
import { isOddKey } from './text-codec.ts'

/** What a walk over a value found out. */
export interface FrozenCopy {
  /** A deep copy, frozen wherever freezing protects. */
  readonly value: unknown
  /** It holds something that plain JSON would lose or change. */
  readonly exotic: boolean
  /** It holds something that freezing cannot protect: `Date`, `Map`, `Set`, `Uint8Array`. */
  readonly mutable: boolean
}

const maxDepth = 100

interface Walk {
  readonly label: string
  readonly maxBytes: number
  readonly path: (string | number)[]
  readonly ancestors: object[]
  /** What large values share: walked once, counted each time. */
  readonly known: Map<object, Known>
  objects: number
  /** Levels of the deepest object so far. */
  deepest: number
  /** A lower bound of the encoded size so far: what stops a bomb of shared references while walking. */
  bytes: number
  exotic: boolean
  mutable: boolean
}

interface Known {
  readonly copied: object
  readonly bytes: number
  /** Levels below it. */
  readonly height: number
}

/** From this length on V8 makes a part of a text by pointing into the whole (`SlicedString::kMinLength`). */
const minSharedLength = 13

/** Small values are walked without looking for what they share: that would cost them more than it saves. */
const manyObjects = 1_000

/**
 * Copies a value that the store can keep exactly, and freezes the copy. Anything else is a `TypeError` that names the path:
 * functions, symbols, class instances, accessors, proxies, cycles, holes, an own `__proto__`, a depth over 100. A value whose
 * encoding must exceed `maxBytes` is `MCP_SESSION_TOO_LARGE`. Getters and `toJSON` are never run.
 */
export function frozenCopy(value: unknown, label: string, maxBytes: number): FrozenCopy {
  const walk: Walk = {
    label,
    maxBytes,
    path: [],
    ancestors: [],
    known: new Map(),
    objects: 0,
    deepest: 0,
    bytes: 0,
    exotic: false,
    mutable: false,
  }
  return { value: copy(value, walk), exotic: walk.exotic, mutable: walk.mutable }
}

function copy(value: unknown, walk: Walk): unknown {
  switch (typeof value) {
    case 'string':
      count(walk, value.length + 2)
      return value.length < minSharedLength ? value : unshared(value)
    case 'number':
      if (!Number.isFinite(value) || Object.is(value, -0)) walk.exotic = true
      count(walk, 1)
      return value
    case 'boolean':
      count(walk, 4)
      return value
    case 'undefined':
      walk.exotic = true
      count(walk, 4)
      return value
    case 'bigint':
      walk.exotic = true
      // Hexadecimal digits cost linear time, the decimal ones of a bomb (1n << 60_000_000n) minutes.
      count(walk, value.toString(16).length)
      return value
    case 'object':
      if (value !== null) return copyObject(value, walk)
      count(walk, 4)
      return value
    default:
      return refuse(walk, `a ${typeof value} cannot be stored`)
  }
}

/** Text of its own: a part of a larger text would keep all of that alive, for as long as the copy is in a cache. */
function unshared(text: string): string {
  return ` ${text}`.slice(1)
}

function copyObject(value: object, walk: Walk): object {
  const known = walk.objects > manyObjects ? walk.known.get(value) : undefined
  const depth = walk.ancestors.length + 1 + (known?.height ?? 0)
  if (depth > maxDepth) {
    refuse(walk, walk.ancestors.includes(value) ? 'a cycle cannot be stored' : `nested deeper than ${maxDepth} levels`)
  }
  if (known === undefined) return copyUnknown(value, walk)
  walk.deepest = Math.max(walk.deepest, depth)
  count(walk, known.bytes)
  return known.copied
}

function copyUnknown(value: object, walk: Walk): object {
  if (types.isProxy(value)) refuse(walk, 'a proxy cannot be stored')
  const { bytes, deepest } = walk
  walk.ancestors.push(value)
  walk.objects += 1
  const depth = walk.ancestors.length
  walk.deepest = depth
  count(walk, 2)
  const copied = Array.isArray(value) ? copyArray(value, walk) : copyKeyed(value, walk)
  walk.ancestors.pop()
  if (walk.objects > manyObjects) walk.known.set(value, { copied, bytes: walk.bytes - bytes, height: walk.deepest - depth })
  walk.deepest = Math.max(walk.deepest, deepest)
  return copied
}

function copyArray(value: readonly unknown[], walk: Walk): object {
  if (Object.getPrototypeOf(value) !== Array.prototype) refuse(walk, 'an array of a subclass cannot be stored')
  count(walk, value.length)
  const copied: unknown[] = []
  for (let index = 0; index < value.length; index += 1) {
    walk.path.push(index)
    copied.push(copy(read(value, index, walk), walk))
    walk.path.pop()
  }
  if (Reflect.ownKeys(value).length !== value.length + 1) refuse(walk, 'an array with named properties cannot be stored')
  return Object.freeze(copied)
}

function copyKeyed(value: object, walk: Walk): object {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === Object.prototype) return Object.freeze(copyProperties(value, {}, walk))
  if (prototype === null) {
    walk.exotic = true
    return Object.freeze(copyProperties(value, Object.create(null), walk))
  }
  walk.exotic = true
  walk.mutable = true
  if (types.isDate(value) && prototype === Date.prototype) return new Date(bare(value, walk).getTime())
  if (types.isMap(value) && prototype === Map.prototype) return copyMap(bare(value, walk), walk)
  if (types.isSet(value) && prototype === Set.prototype) return copySet(bare(value, walk), walk)
  if (types.isUint8Array(value) && prototype === Uint8Array.prototype) {
    count(walk, Math.ceil((value.length * 4) / 3))
    return new Uint8Array(value)
  }
  return refuse(walk, `an instance of ${className(value)} cannot be stored: convert it to a plain value`)
}

function copyProperties(value: object, copied: Record<string, unknown>, walk: Walk): object {
  for (const key of Reflect.ownKeys(value)) {
    walk.path.push(String(key))
    if (typeof key === 'symbol') return refuse(walk, 'a symbol cannot be a key')
    if (key === '__proto__') return refuse(walk, 'an own __proto__ cannot be stored')
    if (isOddKey(key)) walk.exotic = true
    count(walk, key.length + 4)
    copied[key] = copy(read(value, key, walk), walk)
    walk.path.pop()
  }
  return copied
}

function copyMap(value: ReadonlyMap<unknown, unknown>, walk: Walk): Map<unknown, unknown> {
  const copied = new Map<unknown, unknown>()
  for (const [key, item] of Map.prototype.entries.call(value)) {
    walk.path.push(copied.size)
    count(walk, 4)
    copied.set(copy(key, walk), copy(item, walk))
    walk.path.pop()
  }
  return copied
}

function copySet(value: ReadonlySet<unknown>, walk: Walk): Set<unknown> {
  const copied = new Set<unknown>()
  for (const item of Set.prototype.values.call(value)) {
    walk.path.push(copied.size)
    count(walk, 1)
    copied.add(copy(item, walk))
    walk.path.pop()
  }
  return copied
}

/** The own data property; an accessor is never run. */
function read(value: object, key: string | number, walk: Walk): unknown {
  const property = Object.getOwnPropertyDescriptor(value, key)
  if (property === undefined) return refuse(walk, 'an array with holes cannot be stored')
  if (!('value' in property)) return refuse(walk, 'a getter cannot be stored')
  if (!property.enumerable) return refuse(walk, 'a hidden property cannot be stored')
  return property.value
}

function bare<T extends object>(value: T, walk: Walk): T {
  return Reflect.ownKeys(value).length === 0 ? value : refuse(walk, `a ${className(value)} with properties of its own cannot be stored`)
}

function count(walk: Walk, bytes: number): void {
  walk.bytes += bytes
  if (walk.bytes > walk.maxBytes) throw tooLarge(walk.label, walk.maxBytes, pathOf(walk))
}

/** The typed error for an encoding of more than `maxBytes`. */
export function tooLarge(label: string, maxBytes: number, path?: string): SessionError {
  const where = path === undefined || path === label ? label : `${label} (the walk stopped at ${path})`
  return new SessionError('MCP_SESSION_TOO_LARGE', `${where} exceeds ${maxBytes} bytes when encoded: store less, or raise maxBytes`)
}

function refuse(walk: Walk, why: string): never {
  throw new TypeError(`${pathOf(walk)}: ${why}`)
}

/** The path of the offender; long ones (a cycle, a deep nesting) keep their first and last steps. */
function pathOf(walk: Walk): string {
  const steps = walk.path.map((step) =>
    typeof step === 'number' ? `[${step}]` : /^[A-Za-z_$][\w$]*$/.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`,
  )
  const shown = steps.length <= 12 ? steps : [...steps.slice(0, 8), '…', ...steps.slice(-3)]
  const text = walk.label + shown.join('')
  return text.length <= 300 ? text : `${text.slice(0, 300)}…`
}

function className(value: object): string {
  const maker: unknown = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(value), 'constructor')?.value
  return typeof maker === 'function' && maker.name !== '' ? maker.name : 'a class'
}
