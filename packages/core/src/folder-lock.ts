import { randomUUID } from 'node:crypto'
import { type BigIntStats, statSync } from 'node:fs'
import { type FileHandle, open, realpath, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { SessionError } from './errors.ts'
import { acquire, cleanUp, type LockPlace } from './folder-lock-claim.ts'
import { formatHolder, parseHolder, thisHolder } from './folder-lock-holder.ts'
import { type LivenessSocket, listen } from './folder-lock-socket.ts'

/** A folder that belongs to one opener: one object in one thread of one process of one host. */
export interface FolderLock {
  /** The lock file. Who removes it takes the lock away: see `assertHeld`. */
  readonly path: string
  /**
   * Throws `LOCKED` unless the lock file is still the one that this opener made. It costs one `stat`. Called after a sync and
   * before its acknowledgement, it rules out two acknowledging owners: a later owner reads what was synced before it came.
   */
  assertHeld(): void
  /** Gives the folder free. Idempotent. Call it when the last file of the folder is closed. */
  release(): Promise<void>
}

export interface FolderLockOptions {
  /** Name of the lock file. Names that begin with it and a dot belong to the lock as well. Default `mcp-session.lock`. */
  readonly file?: string
  /** Other hosts can reach the folder (a network file system): then a holder that another boot has left is never taken to be dead. Default false. */
  readonly reachedByOtherHosts?: boolean
  /** Names this holder for ever: never the same twice. Default a random UUID. */
  readonly nonce?: string
}

/**
 * Takes an existing folder for this opener alone. `LOCKED`, with the holder's pid in the message, while another opener has it: in
 * this process (also in another worker thread), in another one, or in another container of the host. A holder that provably ended
 * is replaced at once; of several that try, exactly one succeeds. A living holder is never replaced.
 */
export async function lockFolder(folder: string, options: FolderLockOptions = {}): Promise<FolderLock> {
  const name = options.file ?? 'mcp-session.lock'
  const nonce = options.nonce ?? randomUUID()
  const realFolder = await realpath(folder)
  const open = openFolders()
  const key = identity(realFolder, name)
  if (open.has(key)) throw inThisThread(realFolder)
  open.add(key)
  try {
    return await lockFile({ folder: realFolder, file: join(realFolder, name), name }, nonce, options.reachedByOtherHosts === true, () => {
      open.delete(key)
    })
  } catch (error) {
    open.delete(key)
    throw error
  }
}

async function lockFile(place: LockPlace, nonce: string, otherHosts: boolean, onReleased: () => void): Promise<FolderLock> {
  // It answers before the lock file names it, so that nobody can find a living holder silent.
  const socket = await listen(place.folder, `${place.name}.${nonce}.sock`)
  try {
    const self = thisHolder(nonce, socket?.name ?? null)
    await acquire(place, self, formatHolder(self), otherHosts)
    const lock = await held(place, nonce, socket, onReleased)
    await cleanUp(place, self, otherHosts).catch(async (error: unknown) => {
      await lock.release()
      throw error
    })
    return lock
  } catch (error) {
    await socket?.close()
    throw error
  }
}

async function held(place: LockPlace, nonce: string, socket: LivenessSocket | undefined, onReleased: () => void): Promise<FolderLock> {
  // An open file keeps its inode number to itself, so that no later lock file can look like ours.
  const file = await open(place.file, 'r')
  const ours = await file.stat({ bigint: true })
  if (parseHolder(await file.readFile('utf8'))?.nonce !== nonce) {
    await file.close()
    throw lost(place.file)
  }
  let releasing: Promise<void> | undefined

  function isHeld(): boolean {
    const found = statSync(place.file, { bigint: true, throwIfNoEntry: false })
    return found !== undefined && sameFile(found, ours)
  }

  return {
    path: place.file,
    assertHeld() {
      if (releasing !== undefined || !isHeld()) throw lost(place.file)
    },
    release() {
      releasing ??= release(place.file, isHeld(), file, socket).finally(onReleased)
      return releasing
    },
  }
}

async function release(path: string, isHeld: boolean, file: FileHandle, socket: LivenessSocket | undefined): Promise<void> {
  try {
    // Nobody replaces the file of a living holder, so that what is unlinked is what was looked at.
    if (isHeld) await unlink(path)
  } finally {
    await file.close()
    await socket?.close()
  }
}

/**
 * The open folders of this thread: refuses a second object even where somebody removed the lock file. Other threads and processes
 * are kept out by the file. Kept under a global symbol, as two copies of this package may be loaded.
 */
function openFolders(): Set<string> {
  const registry: typeof globalThis & { [openFoldersKey]?: Set<string> } = globalThis
  registry[openFoldersKey] ??= new Set()
  return registry[openFoldersKey]
}

const openFoldersKey: unique symbol = Symbol.for('@mcp-session/folder-locks')

/** By device and inode: the same through symbolic links, mounts and letters of another case. */
function identity(folder: string, name: string): string {
  const { dev, ino } = statSync(folder, { bigint: true })
  return `${dev}:${ino}:${name}`
}

function sameFile(a: BigIntStats, b: BigIntStats): boolean {
  return a.ino === b.ino && a.dev === b.dev
}

function inThisThread(folder: string): SessionError {
  return new SessionError(
    'MCP_SESSION_LOCKED',
    `The folder ${folder} is open in this process (pid ${process.pid}) already: share that backend object, or close it first`,
  )
}

function lost(path: string): SessionError {
  return new SessionError(
    'MCP_SESSION_LOCKED',
    `The lock file ${path} was removed or replaced while its folder was open: nothing is acknowledged any more; make sure that no other process uses the folder, then open it again`,
  )
}
