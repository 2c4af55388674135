import { readdir, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { SessionError } from '@mcp-session/core/backend'
import { delUtf8, type LevelDatabase, openFolder, putUtf8 } from './driver.ts'
import { isFull } from './level-errors.ts'
import type { LeveldbSettings } from './options.ts'
import type { Place } from './place.ts'
import { type SessionCache, sessionCache } from './session-cache.ts'
import type { StagedBatch } from './staged-writes.ts'

/** The database of an open store, and the one way of writing to it. */
export interface Engine {
  readonly cache: SessionCache
  /** For reads. It waits while the database is being opened again, and tries that where it failed, or a write did. */
  readable(): LevelDatabase | Promise<LevelDatabase>
  /** For the write lane: a database of which the next acknowledgement can be believed. */
  writable(): Promise<LevelDatabase>
  /** Writes one batch, each entry of it or none; `undefined` removes a key. After a failure the database is opened again. */
  write(database: LevelDatabase, staged: StagedBatch): Promise<void>
  /** What the last write failed with, until the database was opened again. */
  failure(): unknown
  close(): Promise<void>
}

/** What LevelDB writes when it opens, beside the tables that it makes of its logs. */
const openingBytes = 256 * 1024

export function engine(first: LevelDatabase, place: Place, { durable: sync, cacheBytes }: LeveldbSettings): Engine {
  const cache = sessionCache(cacheBytes)
  let database: LevelDatabase | undefined = first
  let failure: { readonly error: unknown } | undefined
  let opening: Promise<LevelDatabase> | undefined

  /**
   * After a failed write LevelDB no longer knows where in its log it stands, or refuses everything: what it would acknowledge next
   * might not be found again. Reads go on until there is room to open it.
   */
  async function renew(cause: unknown): Promise<LevelDatabase> {
    if (place.path === undefined) throw brokenLoan(cause)
    if (database !== undefined && isFull(cause) && !(await hasRoom(place.path))) throw noRoom(place.path, cause)
    opening ??= reopen(place.path).finally(() => {
      opening = undefined
    })
    return await opening
  }

  async function reopen(path: string): Promise<LevelDatabase> {
    const broken = database
    database = undefined
    await broken?.close()
    const renewed = await openFolder(path)
    // What failed may have been found in the log.
    cache.clear()
    database = renewed
    failure = undefined
    return renewed
  }

  /** A batch that failed may stand in the log: who reads that it does not, finds it there later. A full disk took but a part of it. */
  function isReadAsItIs(error: unknown): boolean {
    return place.path === undefined || isFull(error)
  }

  return {
    cache,

    readable() {
      // Another owner may have written meanwhile: what is read here may be true no more.
      if (place.lost() !== undefined) throw place.lost()
      if (database !== undefined && (failure === undefined || isReadAsItIs(failure.error))) return database
      return renew(failure?.error)
    },

    writable: async () => (database === undefined || failure !== undefined ? await renew(failure?.error) : database),

    async write(written, staged) {
      const { entries } = staged
      if (entries.size === 0) return
      const batch = written.batch()
      try {
        for (const [key, value] of entries) {
          if (value === undefined) batch.del(key, delUtf8)
          else batch.put(key, value, putUtf8)
        }
        await batch.write({ sync })
        cache.follow(staged)
      } catch (error) {
        failure = { error }
        await batch.close()
        throw error
      }
    },

    failure: () => failure?.error,

    async close() {
      await opening?.catch(() => {})
      if (place.path !== undefined) await database?.close()
      database = undefined
    },
  }
}

/** Whether what LevelDB writes to open again would fit: else it would be closed in vain, and not even read any more. */
async function hasRoom(path: string): Promise<boolean> {
  const { bavail, bsize } = await statfs(path)
  let needed = openingBytes
  for (const name of await readdir(path)) {
    if (name.endsWith('.log')) needed += (await stat(join(path, name))).size
  }
  return bavail * bsize >= needed
}

function noRoom(path: string, cause: unknown): SessionError {
  return new SessionError('MCP_SESSION_LIMIT', `The disk of ${path} is full, nothing was written: make room, and calls succeed again`, {
    retryable: true,
    cause,
  })
}

function brokenLoan(cause: unknown): SessionError {
  return new SessionError(
    'MCP_SESSION_UNAVAILABLE',
    'A write to the lent LevelDB database failed, so nothing was written now: close the store, then close and open the database, and open the store again',
    { cause },
  )
}
