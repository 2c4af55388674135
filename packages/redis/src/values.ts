import { batcher, type Call } from '@mcp-session/core/backend'
import type { Connection } from './connection.ts'
import { admit, latest } from './lane.ts'
import { maxHeadBytes } from './record-value.ts'

/** Reads of values: those that are pending together travel together. */
export interface Values {
  /** The value under a key. */
  get(key: string, call: Call): Promise<string | undefined>
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

/** A reply of this size keeps others waiting for some 50 ms. */
const maxReplyBytes = 16 * 1024 * 1024

export function values(connection: Connection): Values {
  const inFlight = new Set<Promise<unknown>>()
  let unnamed = 0
  let meanBytes = 1_024

  const together = batcher<string, string | undefined>({
    name: 'redis',
    flush: async (keys, calls) => (await readAll([...new Set(keys)], keys, latest(calls))).map((value) => ({ value })),
    isDataError: () => false,
  })

  /** Values of unknown size: by what the last ones were, a reply stays small. */
  async function readAll(distinct: readonly string[], keys: readonly string[], deadlineAt: number): Promise<(string | undefined)[]> {
    const found = new Map<string, string>()
    for (let at = 0; at < distinct.length; ) {
      const some = distinct.slice(at, at + Math.max(1, Math.floor(maxReplyBytes / meanBytes)))
      const replies = (await connection.send({ name: 'mget', args: some, deadlineAt })) as (string | null)[]
      let length = 0
      for (const [n, value] of replies.entries()) {
        if (value === null) continue
        found.set(some[n] ?? '', value)
        length += value.length
      }
      meanBytes = Math.max(1_024, length / some.length)
      at += some.length
    }
    return keys.map((key) => found.get(key))
  }

  async function tracked<T>(call: Call, work: () => Promise<T>): Promise<T> {
    admit(call, inFlight.size)
    const running = work()
    inFlight.add(running)
    return running.finally(() => inFlight.delete(running))
  }

  function get(key: string, call: Call): Promise<string | undefined> {
    if (connection.client.isCluster) {
      return tracked(
        call,
        async () => ((await connection.send({ name: 'get', args: [key], deadlineAt: call.deadlineAt })) ?? undefined) as string | undefined,
      )
    }
    unnamed += 1
    return together.run(`${unnamed}`, key, call)
  }

  async function head(key: string, { deadlineAt }: Call): Promise<Head> {
    const [text, bytes] = await Promise.all([
      connection.send({ name: 'getrange', args: [key, 0, maxHeadBytes - 1], deadlineAt }),
      connection.send({ name: 'strlen', args: [key], deadlineAt }),
    ])
    return { text: String(text), bytes: Number(bytes) }
  }

  return {
    get,
    heads: (keys, call) => tracked(call, () => Promise.all(keys.map((key) => head(key, call)))),
    getAll: (keys, call) => Promise.all(keys.map((key) => get(key, call))),
    async drain() {
      await together.drain()
      await Promise.allSettled([...inFlight])
    },
  }
}
