import type { BackendInfo } from '@mcp-session/core/backend'
import type { SqliteDatabase } from './driver.ts'

/** What the pragmas of a connection, its own or lent, make of an acknowledged write. */
export function infoOf(database: SqliteDatabase): BackendInfo {
  return { name: 'sqlite', contract: 1, sharing: sharing(database), durability: durability(database), expiry: 'swept' }
}

export function journalMode(database: SqliteDatabase): string {
  return String(database.pragma('journal_mode', { simple: true }))
}

function sharing(database: SqliteDatabase): BackendInfo['sharing'] {
  return isPrivate(database) || database.pragma('locking_mode', { simple: true }) === 'exclusive' ? 'process' : 'host'
}

/** https://sqlite.org/pragma.html#pragma_synchronous */
function durability(database: SqliteDatabase): BackendInfo['durability'] {
  const mode = journalMode(database)
  // Without a journal on disk, a process killed inside a transaction leaves a damaged file.
  if (isPrivate(database) || mode === 'memory' || mode === 'off') return 'none'
  // A deleted rollback journal may be back after a power cut, and undo the commit, unless its folder was synced too.
  const needed = mode === 'delete' ? 3 : 2
  const syncs = Number(database.pragma('synchronous', { simple: true })) >= needed
  const reachesDisk = process.platform !== 'darwin' || Number(database.pragma('fullfsync', { simple: true })) === 1
  return syncs && reachesDisk ? 'host' : 'engine'
}

/** In memory, or a temporary file without a name. */
function isPrivate(database: SqliteDatabase): boolean {
  return database.memory || database.name === ''
}
