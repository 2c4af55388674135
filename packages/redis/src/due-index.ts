import type { Call } from '@mcp-session/core/backend'
import type { Connection } from './connection.ts'
import { dueBucketOf, dueBuckets, type Keys } from './keys.ts'
import { scriptLane } from './lane.ts'
import { dueScript } from './scripts.ts'

/**
 * Which sessions may have expired, in a few sorted sets. An entry is at or before the end of its session, and touches do not move it: a
 * sweep that finds it early puts it right. A lost entry costs room for an hour: then the server removes the record by itself.
 */
export interface DueIndex {
  note(id: string, expiresAt: number, call: Call): Promise<void>
  /** The entries that are due by both clocks, the oldest first. */
  find(limit: number, call: Call): Promise<readonly Due[]>
  /** Drops entries, or moves them to `next`, unless somebody has changed them since they were found. */
  settle(settled: readonly Settled[], call: Call): Promise<void>
  drain(): Promise<void>
}

export interface Due {
  readonly id: string
  /** As text: sixteen digits and more survive only so. */
  readonly at: string
}

export interface Settled extends Due {
  readonly next: string | undefined
}

export function dueIndex(connection: Connection, keys: Keys): DueIndex {
  const lane = scriptLane({ connection, script: dueScript })
  const buckets = Array.from({ length: dueBuckets }, (_, bucket) => bucket)

  async function findIn(bucket: number, limit: number, call: Call): Promise<Due[]> {
    const [, found] = await lane.run({ name: 'find', key: keys.due(bucket), args: [String(call.now), String(limit)] }, call)
    const flat = found as string[]
    return Array.from({ length: flat.length / 2 }, (_, n) => ({ id: flat[2 * n] ?? '', at: flat[2 * n + 1] ?? '' }))
  }

  return {
    async note(id, expiresAt, call) {
      if (expiresAt === Number.POSITIVE_INFINITY) return
      await lane.run({ name: 'note', key: keys.due(dueBucketOf(id)), args: [String(call.now), String(expiresAt), id] }, call)
    },
    async find(limit, call) {
      const found = await Promise.all(buckets.map((bucket) => findIn(bucket, limit, call)))
      return found
        .flat()
        .sort((one, other) => Number(one.at) - Number(other.at))
        .slice(0, limit)
    },
    async settle(settled, call) {
      await Promise.all(
        buckets.map(async (bucket) => {
          const args = settled.filter(({ id }) => dueBucketOf(id) === bucket).flatMap(({ id, at, next }) => [id, at, next ?? ''])
          if (args.length > 0) await lane.run({ name: 'settle', key: keys.due(bucket), args }, call)
        }),
      )
    },
    drain: lane.drain,
  }
}
