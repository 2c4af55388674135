import { type BatchOutcome, batcher, type Call, running } from '@mcp-session/core/backend'
import type { Connection } from './connection.ts'
import { knownScript } from './known-script.ts'
import { admit, latest, refused, together } from './lane.ts'
import { maxHeadBytes, type Standing, standingBytes } from './record-value.ts'
import { requestOf } from './request.ts'
import { underWay } from './under-way.ts'

/** Reads of values: those that are pending together travel together. */
export interface Values {
  /** The value under a key. */
  get(key: string, call: Call): Promise<string | undefined>
  /** The same, or only what may have changed of it, where it has that rev. */
  getUnlessKnown(key: string, rev: string, call: Call): Promise<string | Standing | undefined>
  /** The first bytes of several values, which hold the headers, and how long each is. */
  heads(keys: readonly string[], call: Call): Promise<readonly Head[]>
  /** Several values; at most as many as fit into a page. */
  getAll(keys: readonly string[], call: Call): Promise<readonly (string | undefined)[]>
  drain(): Promise<void>
}

export interface Head {
  /** Empty: there is no such key. */
  readonly text: string
  readonly bytes: number
}

interface Asked {
  readonly key: string
  /** Empty: none is known. */
  readonly rev: string
}

/** An error is that of one key alone. */
type Found = string | Standing | undefined
type Replies = (Found | Error)[]

/** What is asked for, each key once: a reply is at its key's place. */
interface Distinct {
  readonly keys: string[]
  readonly revs: string[]
}

/** A reply of this size keeps others waiting for some 50 ms. */
const maxReplyBytes = 16 * 1024 * 1024

export function values(connection: Connection): Values {
  const inFlight = running()
  let meanBytes = 1_024

  const reads = batcher<Asked, Found>({
    name: 'redis',
    ...together,
    flush: async (asked, calls) => {
      const distinct: Distinct = { keys: [], revs: [] }
      const places = placesIn(distinct, asked)
      const read = distinct.revs.some((rev) => rev !== '') ? readUnlessKnown : readAll
      const found = await read(distinct, latest(calls))
      return places.map((place) => outcomeOf(found[place]))
    },
    isDataError: () => false,
  })

  /** Values of unknown size: by what the last ones were, a reply stays small. */
  async function readAll({ keys }: Distinct, deadlineAt: number): Promise<Replies> {
    const found: Replies = []
    while (found.length < keys.length) {
      const some = keys.slice(found.length, found.length + Math.max(1, Math.floor(maxReplyBytes / meanBytes)))
      const replies = (await connection.send({ name: 'mget', args: some.slice(0, 1), request: requestOf(['mget'], some), deadlineAt })) as (
        | string
        | null
      )[]
      let length = 0
      for (const value of replies) {
        found.push(value ?? undefined)
        length += value?.length ?? 0
      }
      meanBytes = Math.max(1_024, length / some.length)
    }
    return found
  }

  async function readUnlessKnown(distinct: Distinct, deadlineAt: number): Promise<Replies> {
    const found: Replies = distinct.keys.map(() => undefined)
    let left = await readSome(distinct, undefined, found, deadlineAt)
    while (left.length > 0) left = await readSome(distinct, left, found, deadlineAt)
    return found
  }

  /** Those at `places`, or all. Gives the places of those for which there was no room. */
  async function readSome(
    { keys, revs }: Distinct,
    places: readonly number[] | undefined,
    found: Replies,
    deadlineAt: number,
  ): Promise<number[]> {
    const some = (texts: readonly string[]) => places?.map((place) => texts[place] ?? '') ?? texts
    const asked = some(keys)
    const args = [`${some(revs).join(' ')} `, String(maxReplyBytes)]
    const [text = '', ...parts] = (await connection.run(knownScript, asked, args, deadlineAt)) as string[]
    const left: number[] = []
    let at = 0
    let part = 0
    for (let n = 0; n < asked.length; n += 1) {
      const place = places?.[n] ?? n
      const mark = text[at]
      at += 1
      if (mark === '=') {
        found[place] = { text, at }
        at += standingBytes
      } else if (mark === '*') {
        found[place] = parts[part]
        part += 1
      } else if (mark === '+') left.push(place)
      else if (mark === '!') {
        const error = refused(parts[part])
        if (connection.client.isCluster || !isForeign(error)) found[place] = error
        part += 1
      }
    }
    return left
  }

  async function tracked<T>(call: Call, work: () => Promise<T>): Promise<T> {
    admit(call, inFlight.count)
    return underWay(inFlight, work())
  }

  function read(key: string, rev: string, call: Call): Promise<Found> {
    if (connection.client.isCluster) return tracked(call, () => readAlone(key, rev, call))
    return reads.run(undefined, { key, rev }, call)
  }

  async function readAlone(key: string, rev: string, { deadlineAt }: Call): Promise<Found> {
    if (rev === '') return ((await connection.send({ name: 'get', args: [key], deadlineAt })) ?? undefined) as string | undefined
    const found: Replies = [undefined]
    await readSome({ keys: [key], revs: [rev] }, undefined, found, deadlineAt)
    const [value] = found
    if (value instanceof Error) throw value
    return value
  }

  async function head(key: string, { deadlineAt }: Call): Promise<Head> {
    const [text, bytes] = await Promise.all([
      connection.send({ name: 'getrange', args: [key, 0, maxHeadBytes - 1], deadlineAt }),
      connection.send({ name: 'strlen', args: [key], deadlineAt }),
    ])
    return { text: String(text), bytes: Number(bytes) }
  }

  const get = (key: string, call: Call) => read(key, '', call) as Promise<string | undefined>

  return {
    get,
    getUnlessKnown: read,
    heads: (keys, call) => tracked(call, () => Promise.all(keys.map((key) => head(key, call)))),
    getAll: (keys, call) => Promise.all(keys.map((key) => get(key, call))),
    async drain() {
      await reads.drain()
      await inFlight.idle()
    },
  }
}

/** Whoever knows another rev of a session than others that ask with them is given the whole of it, like these. */
function placesIn({ keys, revs }: Distinct, asked: readonly Asked[]): number[] {
  const known = new Map<string, number>()
  return asked.map(({ key, rev }) => {
    const place = known.get(key)
    if (place === undefined) {
      known.set(key, keys.length)
      revs.push(rev)
      return keys.push(key) - 1
    }
    if (revs[place] !== rev) revs[place] = ''
    return place
  })
}

function outcomeOf(found: Found | Error): BatchOutcome<Found> {
  return found instanceof Error ? { error: found } : { value: found }
}

/** MGET takes a key of another type for none, and so does what may stand in its place; GET names it. */
function isForeign(error: Error): boolean {
  return error.message.startsWith('WRONGTYPE')
}
