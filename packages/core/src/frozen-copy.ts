import { types } from 'node:util'
import { SessionError } from './errors.ts'

/** What a walk over a value found out. */
export interface FrozenCopy {
  /** A deep copy, frozen wherever freezing protects. */
  readonly value: unknown
  /** It holds a value that plain JSON would lose or change; keys are not looked at, see `encodeText`. */
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
  /** A lower bound of the encoded size so far: what stops a bomb of shared references while walking. */
  bytes: number
  exotic: boolean
  mutable: boolean
}

/** From this length on V8 makes a part of a text by pointing into the whole (`SlicedString::kMinLength`). */
const minSharedLength = 13

/**
 * Copies a value that the store can keep exactly, and freezes the copy. Anything else is a `TypeError` that names the path:
 * functions, symbols, class instances, accessors, proxies, cycles, holes, an own `__proto__`, a depth over 100. A value whose
 * encoding must exceed `maxBytes` is `MCP_SESSION_TOO_LARGE`. Getters and `toJSON` are never run.
 *
 * What stands in its old place, the very object, since `before` is not walked again, and not counted: an update that changes one
 * member costs no more than that member.
 */
export function frozenCopy(value: unknown, label: string, maxBytes: number, before?: FrozenCopy): FrozenCopy {
  const walk: Walk = {
    label,
    maxBytes,
    path: [],
    ancestors: [],
    bytes: 0,
    exotic: false,
    mutable: false,
  }
  const known = before === undefined || before.exotic || before.mutable ? undefined : before.value
  const copied = copy(value, known, walk)
  return { value: copied, exotic: walk.exotic, mutable: walk.mutable }
}

function copy(value: unknown, before: unknown, walk: Walk): unknown {
  if (value === before && typeof value === 'object' && value !== null) return value
  switch (typeof value) {
    case 'string':
      count(walk, value.length + 2)
      // What stood there before is a text of its own already, and in the cache.
      if (value === before) return before
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
      if (value !== null) return copyObject(value, before, walk)
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

function copyObject(value: object, before: unknown, walk: Walk): object {
  const { ancestors } = walk
  if (ancestors.length >= maxDepth) {
    refuse(walk, ancestors.includes(value) ? 'a cycle cannot be stored' : `nested deeper than ${maxDepth} levels`)
  }
  if (types.isProxy(value)) refuse(walk, 'a proxy cannot be stored')
  ancestors.push(value)
  count(walk, 2)
  const copied = Array.isArray(value) ? copyArray(value, before, walk) : copyKeyed(value, before, walk)
  ancestors.pop()
  return copied
}

function copyArray(value: readonly unknown[], before: unknown, walk: Walk): object {
  if (Object.getPrototypeOf(value) !== Array.prototype) refuse(walk, 'an array of a subclass cannot be stored')
  count(walk, value.length)
  const copied: unknown[] = []
  const items: readonly unknown[] = Array.isArray(before) ? before : []
  for (let index = 0; index < value.length; index += 1) {
    walk.path.push(index)
    copied.push(copy(read(value, index, walk), items[index], walk))
    walk.path.pop()
  }
  if (Reflect.ownKeys(value).length !== value.length + 1) refuse(walk, 'an array with named properties cannot be stored')
  return Object.freeze(copied)
}

function copyKeyed(value: object, before: unknown, walk: Walk): object {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === Object.prototype) return Object.freeze(copyProperties(value, before, {}, walk))
  if (prototype === null) {
    walk.exotic = true
    return Object.freeze(copyProperties(value, undefined, Object.create(null), walk))
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

function copyProperties(value: object, before: unknown, copied: Record<string, unknown>, walk: Walk): object {
  // A plain one of ours, so that looking at its members runs nothing; what it inherits is no plain object either.
  const members = (typeof before === 'object' && before !== null ? before : {}) as Record<string, unknown>
  for (const key of Reflect.ownKeys(value)) {
    walk.path.push(String(key))
    if (typeof key === 'symbol') return refuse(walk, 'a symbol cannot be a key')
    if (key === '__proto__') return refuse(walk, 'an own __proto__ cannot be stored')
    count(walk, key.length + 4)
    copied[key] = copy(read(value, key, walk), members[key], walk)
    walk.path.pop()
  }
  return copied
}

function copyMap(value: ReadonlyMap<unknown, unknown>, walk: Walk): Map<unknown, unknown> {
  const copied = new Map<unknown, unknown>()
  for (const [key, item] of Map.prototype.entries.call(value)) {
    walk.path.push(copied.size)
    count(walk, 4)
    copied.set(copy(key, undefined, walk), copy(item, undefined, walk))
    walk.path.pop()
  }
  return copied
}

function copySet(value: ReadonlySet<unknown>, walk: Walk): Set<unknown> {
  const copied = new Set<unknown>()
  for (const item of Set.prototype.values.call(value)) {
    walk.path.push(copied.size)
    count(walk, 1)
    copied.add(copy(item, undefined, walk))
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

/** The path of the offender; a long one (a cycle, a deep nesting) keeps both of its ends. */
function pathOf({ label, path }: Walk): string {
  const text = label + path.map((step) => (/^[A-Za-z_$][\w$]*$/.test(`${step}`) ? `.${step}` : `[${JSON.stringify(step)}]`)).join('')
  return text.length <= 200 ? text : `${text.slice(0, 120)}…${text.slice(-60)}`
}

function className(value: object): string {
  const maker: unknown = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(value), 'constructor')?.value
  return typeof maker === 'function' && maker.name !== '' ? maker.name : 'a class'
}
