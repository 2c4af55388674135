import { hash } from 'node:crypto'
import { sumOf } from './sums.ts'

/** The names of everything that a store keeps in Redis. The part in braces decides the hash slot: a session and its events share one. */
export interface Keys {
  /** `<prefix>:{<id>}` */
  record(id: string): string
  /** The id in a record's key; `undefined` for any other key. */
  idOf(key: string): string | undefined
  /** Glob pattern of the keys of records whose ids begin with that prefix. */
  pattern(idPrefix: string): string
  /** An owner's sessions: `<prefix>:{<digest>}:owner` by hash of their ids, `…:owner-until` by the instant until which each is kept. */
  owner(digest: string): readonly [byHash: string, until: string]
  /** `<prefix>:{<bucket>}:due`: which sessions may be due for sweeping. */
  due(bucket: number): string
  channel(name: string): string
}

/** After the key of a record: those of its events. */
export const eventSuffixes = [':log', ':seq', ':gone'] as const

/** After the first key of an owner: the second. */
export const untilSuffix = '-until'

/** Parts of the index of expiries, so that the masters of a cluster share it. */
export const dueBuckets = 16

/** Of a digest: 132 bits of SHA-256, so that owners appear in no key. */
const digestLength = 22

/** In the place of an owner's digest. */
export const unowned: string = '-'.repeat(digestLength)

export function keysOf(prefix: string): Keys {
  const start = `${prefix}:{`

  function record(id: string): string {
    return `${start}${encoded(id)}}`
  }

  return {
    record,
    idOf(key) {
      if (!key.startsWith(start) || key.indexOf('}') !== key.length - 1) return undefined
      return decoded(key.slice(start.length, -1))
    },
    pattern: (idPrefix) => `${escaped(`${start}${encoded(idPrefix)}`)}*}`,
    owner: (digest) => [`${start}${digest}}:owner`, `${start}${digest}}:owner${untilSuffix}`],
    due: (bucket) => `${start}${bucket}}:due`,
    channel: (name) => `${start}${encoded(name)}}:signal`,
  }
}

/** In one call of native code: less than half the cost of an object of `createHash`. */
export function digestOf(owner: string): string {
  return hash('sha256', owner, 'base64url').slice(0, digestLength)
}

export function dueBucketOf(id: string): number {
  return sumOf(id) % dueBuckets
}

/** Braces would end the part that decides the slot. */
function encoded(text: string): string {
  return /[%{}]/.test(text) ? text.replace(/[%{}]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`) : text
}

function decoded(text: string): string {
  return text.includes('%') ? text.replace(/%(25|7B|7D)/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16))) : text
}

/** https://redis.io/docs/latest/commands/keys: these have a meaning in patterns. */
function escaped(text: string): string {
  return text.replace(/[*?[\]\\]/g, '\\$&')
}
