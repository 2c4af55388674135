import { type LevelDatabase, type LevelRange, utf8 } from './driver.ts'
import { formatHead, type Head, headIn } from './head.ts'
import { headKey } from './keys.ts'
import type { SessionCache } from './session-cache.ts'

/** The store as it will be once the batch that is being put together is written. Only the write lane has one. */
export interface StagedWrites {
  /** What was staged, or else stored. It reads a block from disk where LevelDB has it in no cache. */
  get(key: string): string | undefined
  /** The head of a session, staged or stored; `CORRUPT` if it is not what was written. */
  head(id: string): Head | undefined
  put(key: string, value: string): void
  putHead(head: Head): void
  remove(key: string): void
  /** Keys from `gte` to before `lt`, staged and stored, in order, at most `limit`. */
  keys(gte: string, lt: string, limit?: number): Promise<string[]>
  /** Runs a step; where it throws, what it staged is forgotten. */
  attempt<T>(step: (staged: StagedWrites) => Promise<T>): Promise<T>
  batch(): StagedBatch
}

/** What a batch has to say. */
export interface StagedBatch {
  /** Each key once; `undefined`: removed. */
  readonly entries: ReadonlyMap<string, string | undefined>
  /** By their keys, the heads that were put; one counts where its text is what the entry says. */
  readonly heads: ReadonlyMap<string, PutHead>
}

export interface PutHead {
  readonly head: Head
  readonly text: string
}

export function stagedWrites(database: LevelDatabase, cache: SessionCache): StagedWrites {
  const changes = new Map<string, string | undefined>()
  const heads = new Map<string, PutHead>()
  let undo: { readonly key: string; readonly was: string | undefined; readonly had: boolean }[] = []

  function set(key: string, value: string | undefined): void {
    undo.push({ key, was: changes.get(key), had: changes.has(key) })
    changes.set(key, value)
  }

  const staged: StagedWrites = {
    get(key) {
      const change = changes.get(key)
      if (change !== undefined || changes.has(key)) return change
      return database.getSync(key, utf8)
    },

    head(id) {
      const key = headKey(id)
      if (!changes.has(key)) return cache.get(id)?.head ?? headIn(id, staged.get(key))
      const put = heads.get(key)
      return put?.text === changes.get(key) ? put?.head : headIn(id, changes.get(key))
    },

    put: set,

    putHead(head) {
      const key = headKey(head.id)
      const text = formatHead(head)
      heads.set(key, { head, text })
      set(key, text)
    },

    remove: (key) => set(key, undefined),

    async keys(gte, lt, limit = Number.POSITIVE_INFINITY) {
      const inRange = [...changes].filter(([key]) => key >= gte && key < lt)
      const found = new Set(await storedKeys({ ...utf8, gte, lt, limit: limit === Number.POSITIVE_INFINITY ? -1 : limit + inRange.length }))
      for (const [key, value] of inRange) {
        if (value === undefined) found.delete(key)
        else found.add(key)
      }
      return [...found].toSorted(byCodeUnits).slice(0, limit)
    },

    async attempt(step) {
      undo = []
      try {
        return await step(staged)
      } catch (error) {
        for (const { key, was, had } of undo.toReversed()) {
          if (had) changes.set(key, was)
          else changes.delete(key)
        }
        throw error
      }
    },

    batch: () => ({ entries: changes, heads }),
  }

  async function storedKeys(range: LevelRange): Promise<string[]> {
    const keys: string[] = []
    for await (const key of database.keys(range)) keys.push(key)
    return keys
  }

  return staged
}

/** The order of ASCII in LevelDB; beyond it no caller minds the order. */
function byCodeUnits(a: string, b: string): number {
  return a < b ? -1 : a === b ? 0 : 1
}
