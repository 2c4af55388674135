import { hash } from 'node:crypto'
import type { Call } from '@mcp-session/core/backend'
import type { Connection } from './connection.ts'
import { digestOf, type Keys } from './keys.ts'
import { type Lane, scriptLane } from './lane.ts'
import { instantText } from './record-value.ts'
import { ownerScript } from './scripts.ts'

/**
 * Which sessions an owner has, in a slot of the owner's. A record is written only after the index keeps its id for an hour longer than
 * the record lives ("armed"), and says in its header until when; what would make it live longer arms it again first. So what
 * the index drops by age is dead, and nobody has to look at records for it.
 */
export interface OwnerIndex {
  /** Keeps a session; the text goes into its record. */
  arm(digest: string, id: string, expiresAt: number, call: Call): Promise<string>
  /** Drops a session that was deleted, unless it was armed again since. Resolves at once, and does not fail. */
  drop(digest: string, id: string, armed: string, call: Call): void
  /** Ids of an owner's sessions, dead ones among them, in the order of their hashes from `after` on, at most `limit`. */
  page(owner: string, after: number, limit: number, call: Call): Promise<readonly Indexed[]>
  drain(): Promise<void>
}

export interface Indexed {
  readonly id: string
  readonly hash: number
}

export function ownerIndex(connection: Connection, keys: Keys): OwnerIndex {
  const lane: Lane = scriptLane({ connection, script: ownerScript })

  return {
    async arm(digest, id, expiresAt, call) {
      const args = [id, String(hashOf(id)), instantText(expiresAt)]
      const [, armed] = await lane.run({ name: 'arm', key: keys.owner(digest)[0], args }, call)
      return String(armed)
    },
    drop(digest, id, armed, call) {
      const { signal: _, ...rest } = call
      lane.run({ name: 'drop', key: keys.owner(digest)[0], args: [id, armed] }, rest).catch(ignore)
    },
    async page(owner, after, limit, { deadlineAt }) {
      const [byHash] = keys.owner(digestOf(owner))
      const ids = await connection.send({ name: 'zrange', args: [byHash, `(${after}`, '+inf', 'BYSCORE', 'LIMIT', 0, limit], deadlineAt })
      return (ids as string[]).map((id) => ({ id, hash: hashOf(id) }))
    },
    drain: lane.drain,
  }
}

/** 48 bits: an order that never changes, and whose positions tell nothing about ids. */
function hashOf(id: string): number {
  return Number.parseInt(hash('sha256', id, 'hex').slice(0, 12), 16)
}

/** An entry that stays is dropped by its age. */
function ignore(): void {}
