import type { Sessions } from '@mcp-session/core'
import { type Content, contentOf, counted } from '../sessions/record.ts'

/** A way through core that most calls of an application take. */
export interface HotPath {
  /** Of decoded snapshots; absent: the store's default. */
  readonly cacheBytes?: number
  /** Calls before the counted ones, in which V8 optimizes what it will, and how many are counted. */
  readonly warmUp: number
  readonly counted: number
  /** The n-th call; `id` is one of those that are there. A falsy answer is a failure. */
  step(sessions: Sessions<Content>, id: string, n: number): Promise<unknown>
}

/** Whom every session belongs to. */
export const owner = 'user-1'

const fast = { warmUp: 10_000, counted: 10_000 } as const
/** They do more in each call, so that they are optimized after fewer. */
const slow = { warmUp: 5_000, counted: 2_500 } as const

export type PathName = 'create-delete' | 'update' | 'cold-retrieve' | 'retrieve-by-owner' | 'touch' | 'retrieve'

/** Slowest first, so that no process is left alone at the end. */
export const hotPaths: Readonly<Record<PathName, HotPath>> = {
  // Deleted again: a store that grows makes each call dearer than the one before.
  'create-delete': {
    ...slow,
    step: async (sessions, _id, n) => sessions.delete((await sessions.create(contentOf(n), { owner })).id),
  },
  // After 5,000 calls its counts still differ by a quarter from run to run.
  update: { warmUp: 10_000, counted: 5_000, step: (sessions, id) => sessions.update(id, counted) },
  // What a node does that has not seen the session: it verifies, decodes and freezes.
  'cold-retrieve': { ...slow, cacheBytes: 0, step: (sessions, id) => sessions.retrieve(id) },
  'retrieve-by-owner': { ...fast, step: (sessions, id) => sessions.retrieve(id, { owner }) },
  touch: { ...fast, step: (sessions, id) => sessions.touch(id) },
  retrieve: { ...fast, step: (sessions, id) => sessions.retrieve(id) },
}

export const pathNames: readonly PathName[] = Object.keys(hotPaths) as PathName[]
