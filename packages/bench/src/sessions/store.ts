import type { SizedContent } from './record-size.ts'

/** A store as its users call it. Each call is one that an application would await; a falsy answer counts as missed. */
export interface Store {
  /** Stores the n-th session under a new id, which it makes itself, and gives the id. */
  create(n: number): Promise<string>
  /** Stores a session of just that content, and gives its id. Absent: its records are all of one size. */
  createOf?(content: SizedContent): Promise<string>
  /** What the session holds. */
  retrieve(id: string): Promise<unknown>
  /** A request that finds the session and records its access. */
  touch(id: string): Promise<unknown>
  /** Changes one leaf, from what is there. */
  update(id: string): Promise<unknown>
  delete(id: string): Promise<unknown>
  /** Stores the n-th session so that it has expired already. Absent: such a store is not asked to clean up. */
  createExpired?(n: number): Promise<unknown>
  /** Deletes what has expired, and says how much that was. */
  cleanup?(): Promise<number>
  /** How many sessions there are; expired ones do not count. */
  count(): Promise<number>
  /** Closes it, and removes what it left on a shared engine. */
  close(): Promise<void>
}

/** Where a store may keep things: nobody else uses any of it. */
export interface Place {
  /** An empty folder. */
  readonly folder: string
  /** A prefix, schema or table name on a shared engine: `[a-z][a-z0-9_]*`. */
  readonly namespace: string
  /** Of the engine that the contestant names. */
  readonly url: string
}
