import { byteLru } from '@mcp-session/core/backend'
import { type Head, parseHead } from './head.ts'
import { dataKey } from './keys.ts'
import type { StagedBatch } from './staged-writes.ts'

/** Sessions as they are stored, read or written lately. There is no other writer, so that what is here is what is there. */
export interface SessionCache {
  get(id: string): CachedSession | undefined
  add(head: Head, data: string): void
  /** Takes over a batch that was written. */
  follow(batch: StagedBatch): void
  clear(): void
}

export interface CachedSession {
  readonly head: Head
  readonly data: string
}

/** Of an entry beside its data. */
const entryBytes = 600

export function sessionCache(maxBytes: number): SessionCache {
  const sessions = byteLru<CachedSession>(maxBytes)

  function add(head: Head, data: string): void {
    sessions.set(head.id, { head, data }, 2 * data.length + entryBytes)
  }

  return {
    get: sessions.get,
    add,
    follow({ entries, heads }) {
      for (const [key, value] of entries) {
        if (!key.startsWith('h')) continue
        const id = key.slice(1)
        const put = heads.get(key)
        const head = value === undefined ? undefined : put?.text === value ? put.head : parseHead(id, value)
        const data = entries.get(dataKey(id)) ?? sessions.get(id)?.data
        if (head === undefined || data === undefined) sessions.delete(id)
        else add(head, data)
      }
    },
    clear: () => sessions.deleteWhere(() => true),
  }
}
