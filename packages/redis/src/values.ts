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
type Replies = Map<string, Found | Error>

/** A reply of this size keeps others waiting for some 50 ms. */
const maxReplyBytes = 16 * 1024 * 1024

export function values(connection: Connection): Values {
  const inFlight = running()
  let meanBytes = 1_024

  const reads = batcher<Asked, Found>({
    name: 'redis',
    ...together,
    flush: async (asked, calls) => {
      const read = asked.some(({ rev }) => rev !== '') ? readUnlessKnown : readAll
      const found = await read(asked, latest(calls))
      return asked.map(({ key }) => outcomeOf(found.get(key)))
    },
    isDataError: () => false,
  })

  /** Values of unknown size: by what the last ones were, a reply stays small. */
  async function readAll(asked: readonly Asked[], deadlineAt: number): Promise<Replies> {
    const distinct = [...new Set(asked.map(({ key }) => key))]
    const found: Replies = new Map()
    for (let at = 0; at < distinct.length; ) {
      const some = distinct.slice(at, at + Math.max(1, Math.floor(maxReplyBytes / meanBytes)))
      const replies = (await connection.send({ name: 'mget', args: some.slice(0, 1), request: requestOf(['mget'], some), deadlineAt })) as (
        | string
        | null
      )[]
      let length = 0
      for (const [n, value] of replies.entries()) {
        if (value === null) continue
        found.set(some[n] ?? '', value)
        length += value.length
      }
      meanBytes = Math.max(1_024, length / some.length)
      at += some.length
    }
    return found
  }

  /** Whoever knows another rev of a session than others that ask with them is given the whole of it, like these. */
  async function readUnlessKnown(asked: readonly Asked[], deadlineAt: number): Promise<Replies> {
    const revs = new Map<string, string>()
    for (const { key, rev } of asked) {
      const other = revs.get(key)
      if (other === undefined) revs.set(key, rev)
      else if (other !== rev) revs.set(key, '')
    }
    const found: Replies = new Map()
    for (let left = revs; left.size > 0; ) left = await readSome(left, found, deadlineAt)
    return found
  }

  /** Those for which there was no room are left. */
  async function readSome(revs: ReadonlyMap<string, string>, found: Replies, deadlineAt: number): Promise<Map<string, string>> {
    const keys = [...revs.keys()]
    const args = [`${[...revs.values()].join(' ')} `, String(maxReplyBytes)]
    const [text = '', ...parts] = (await connection.run(knownScript, keys, args, deadlineAt)) as string[]
    const left = new Map<string, string>()
    let at = 0
    let part = 0
    for (const [key, rev] of revs) {
      const mark = text[at]
      at += 1
      if (mark === '=') {
        found.set(key, { text, at })
        at += standingBytes
      } else if (mark === '*') {
        found.set(key, parts[part])
        part += 1
      } else if (mark === '+') left.set(key, rev)
      else if (mark === '!') {
        const error = refused(parts[part])
        if (connection.client.isCluster || !isForeign(error)) found.set(key, error)
        part += 1
      }
    }
    return left
  }

  function tracked<T>(call: Call, work: () => Promise<T>): Promise<T> {
    admit(call, inFlight.count)
    return underWay(inFlight, work())
  }

  function read(key: string, rev: string, call: Call): Promise<Found> {
    if (connection.client.isCluster) return tracked(call, () => readAlone(key, rev, call))
    return reads.run(undefined, { key, rev }, call)
  }

  async function readAlone(key: string, rev: string, { deadlineAt }: Call): Promise<Found> {
    if (rev === '') return ((await connection.send({ name: 'get', args: [key], deadlineAt })) ?? undefined) as string | undefined
    const found: Replies = new Map()
    await readSome(new Map([[key, rev]]), found, deadlineAt)
    const value = found.get(key)
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

function outcomeOf(found: Found | Error): BatchOutcome<Found> {
  return found instanceof Error ? { error: found } : { value: found }
}

/** MGET takes a key of another type for none, and so does what may stand in its place; GET names it. */
function isForeign(error: Error): boolean {
  return error.message.startsWith('WRONGTYPE')
}
