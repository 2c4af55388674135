import { mkdir } from 'node:fs/promises'
import { SessionError } from '@mcp-session/core/backend'
import { type FolderLock, lockFolder } from '@mcp-session/core/folder-lock'
import type { LevelDatabase } from './driver.ts'

/** Where a store lives, and the proof that nobody else has it. */
export interface Place {
  /** The folder, where it is the backend's own: then it may be opened again. */
  readonly path: string | undefined
  /** Throws `LOCKED` where another owner may have come. It looks at the disk. */
  assertHeld(): void
  /** What `assertHeld` threw, if it ever did. */
  lost(): unknown
  release(): Promise<void>
}

/**
 * Makes and locks a folder, before LevelDB opens it: an open that LevelDB refuses drops the lock of the opener that has it, after which
 * two processes write, and acknowledged writes are lost (reproduced 10 of 10 times; the same as facebook/rocksdb#1780).
 */
export async function ownFolder(path: string): Promise<Place> {
  await mkdir(path, { mode: 0o700 }).catch((error: unknown) => {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  })
  const lock = await lockFolder(path)
  return { path, ...watched(lock), release: lock.release }
}

/** Keeps a second store off a lent database, and its folder, where it is known, off a backend that would open it. */
export async function borrowedPlace(database: LevelDatabase): Promise<Place> {
  const { root, prefix, location } = whereabouts(database)
  const loans = openLoans()
  const known = loans.get(root)
  if (known?.prefixes.has(prefix)) throw twice()
  const loan = known ?? { prefixes: new Set<string>(), lock: location === undefined ? undefined : lockFolder(location) }
  loans.set(root, loan)
  loan.prefixes.add(prefix)

  async function giveBack(): Promise<void> {
    loan.prefixes.delete(prefix)
    if (loan.prefixes.size > 0) return
    loans.delete(root)
    await (await loan.lock)?.release()
  }

  try {
    const lock = await loan.lock
    return { path: undefined, ...watched(lock), release: giveBack }
  } catch (error) {
    loan.prefixes.delete(prefix)
    if (loan.prefixes.size === 0) loans.delete(root)
    throw error
  }
}

/** A lock that was lost once is never held again. */
function watched(lock: FolderLock | undefined): Pick<Place, 'assertHeld' | 'lost'> {
  let loss: unknown
  return {
    assertHeld() {
      if (loss !== undefined) throw loss
      try {
        lock?.assertHeld()
      } catch (error) {
        loss = error
        throw error
      }
    },
    lost: () => loss,
  }
}

/** Whether what is synced there reaches a folder of this host. */
export function hasLocation(database: LevelDatabase): boolean {
  return whereabouts(database).location !== undefined
}

interface Loan {
  readonly prefixes: Set<string>
  readonly lock: Promise<FolderLock> | undefined
}

/** The lent databases of this thread. Under a global symbol, as two copies of this package may be loaded. */
function openLoans(): WeakMap<object, Loan> {
  const registry: typeof globalThis & { [openLoansKey]?: WeakMap<object, Loan> } = globalThis
  registry[openLoansKey] ??= new WeakMap()
  return registry[openLoansKey]
}

const openLoansKey: unique symbol = Symbol.for('@mcp-session/leveldb-loans')

/** A sublevel names the database that it is a part of as `db`. */
function whereabouts(database: LevelDatabase): { root: object; prefix: string; location: string | undefined } {
  const root = 'db' in database && typeof database.db === 'object' && database.db !== null ? database.db : database
  const prefix = 'prefix' in database && typeof database.prefix === 'string' ? database.prefix : ''
  const location = 'location' in root && typeof root.location === 'string' ? root.location : undefined
  return { root, prefix, location }
}

function twice(): SessionError {
  return new SessionError(
    'MCP_SESSION_LOCKED',
    'The lent LevelDB database is in use by another store of this process: share that backend object, or lend another sublevel',
  )
}
