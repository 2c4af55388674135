import { createHash } from 'node:crypto'

/** A script of Redis, and the name under which the server knows it. */
export interface Script {
  readonly text: string
  readonly sha: string
  /** What comes after the key of a call to make the others that it has. */
  readonly suffixes: readonly string[]
}

export function scriptOf(text: string, suffixes: readonly string[]): Script {
  return { text, sha: createHash('sha1').update(text).digest('hex'), suffixes }
}
