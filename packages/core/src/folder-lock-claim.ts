import { constants } from 'node:fs'
import { link, open, readdir, readFile, rename, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { SessionError } from './errors.ts'
import { type Holder, parseHolder } from './folder-lock-holder.ts'
import { liveness } from './folder-lock-liveness.ts'
import { answers } from './folder-lock-socket.ts'

export interface LockPlace {
  readonly folder: string
  /** The lock file: `<folder>/<name>`. */
  readonly file: string
  readonly name: string
}

/** Somebody is taking the lock at every look: give up, its holder lives. */
const maxTries = 100
/** A file that a crash left half-written is nobody's after this. */
const orphanedAfterMs = 60_000

/**
 * Makes the lock file, whole from its first moment: it is written under a name of its own and then linked.
 *
 * A dead holder S is replaced by who makes the one file `<lock>.after-<nonce of S>`, and only while the lock file is still S's. Removing
 * S's file first would be wrong: of two that have seen S, the slower one would remove the lock of the faster. Whoever dies with
 * that claim is a dead holder itself, whose own successor is found in the same way.
 */
export async function acquire(place: LockPlace, self: Holder, text: string, otherHosts: boolean): Promise<void> {
  const draft = `${place.file}.${self.nonce}`
  await writeSynced(draft, text)
  try {
    for (let tries = 0; tries < maxTries; tries += 1) {
      if (await linked(draft, place.file)) return
      if (await succeeded(place, self, draft, otherHosts)) return
    }
  } finally {
    await removed(draft)
  }
  throw new SessionError('MCP_SESSION_LOCKED', `The lock file ${place.file} changes all the time: other processes are opening the folder`, {
    retryable: true,
  })
}

/** Whether we took a dead holder's place; `false`: look again. `LOCKED` where a holder or a claimant lives. */
async function succeeded(place: LockPlace, self: Holder, draft: string, otherHosts: boolean): Promise<boolean> {
  const chain: { readonly path: string; readonly nonce: string }[] = []
  for (let path = place.file; ; ) {
    const holder = await readHolder(path)
    if (holder === undefined) return false
    const state = await liveness(place.folder, holder, self, otherHosts)
    if (state !== 'ended') throw lockedBy(place.folder, path, holder, state)
    chain.push({ path, nonce: holder.nonce })
    path = `${place.file}.after-${holder.nonce}`
    if (!(await linked(draft, path))) continue
    // From here on nobody else may replace any of the chain. But somebody may have done so before.
    for (const seen of chain) {
      if ((await readHolder(seen.path))?.nonce === seen.nonce) continue
      await removed(path)
      return false
    }
    await rename(path, place.file)
    return true
  }
}

/** Removes what crashed openers left. Only what provably has no owner any more, so that it can run beside other openers. */
export async function cleanUp(place: LockPlace, self: Holder, otherHosts: boolean): Promise<void> {
  for (const name of await readdir(place.folder)) {
    const rest = name.startsWith(`${place.name}.`) ? name.slice(place.name.length + 1) : ''
    if (!leftover.test(rest) || name === self.socket) continue
    if (await isOrphan(place, self, name, otherHosts)) await removed(join(place.folder, name))
  }
}

const leftover = /^(after-)?[0-9a-f-]{36}(\.sock)?$/

async function isOrphan(place: LockPlace, self: Holder, name: string, otherHosts: boolean): Promise<boolean> {
  const path = join(place.folder, name)
  if (name.endsWith('.sock')) return !otherHosts && (await answers(place.folder, name)) === 'ended'
  try {
    const holder = await readHolder(path)
    return holder !== undefined && (await liveness(place.folder, holder, self, otherHosts)) === 'ended'
  } catch {
    const found = await stat(path).catch(() => undefined)
    return found !== undefined && Date.now() - found.mtimeMs > orphanedAfterMs
  }
}

/** `undefined`: no such file. `LOCKED`: it is there and says nothing, which is no proof that nobody holds the folder. */
async function readHolder(path: string): Promise<Holder | undefined> {
  let text: string
  try {
    text = await readFile(path, { encoding: 'utf8', flag: constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0) })
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined
    throw unreadable(path, error)
  }
  const holder = parseHolder(text)
  if (holder === undefined) throw unreadable(path)
  return holder
}

/** On disk before it gets its name: a power cut must not leave an empty lock, which nobody could judge. */
async function writeSynced(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  try {
    await file.writeFile(text)
    await file.datasync()
  } finally {
    await file.close()
  }
}

/** Whether `path` is now our draft; `false`: there is a file of that name. */
async function linked(draft: string, path: string): Promise<boolean> {
  try {
    await link(draft, path)
    return true
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false
    if (!isCode(error, 'EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP')) throw error
    return await copied(draft, path)
  }
}

/** For file systems without hard links. A crash in between leaves a lock that somebody has to remove by hand. */
async function copied(draft: string, path: string): Promise<boolean> {
  try {
    await writeSynced(path, await readFile(draft, 'utf8'))
    return true
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false
    throw error
  }
}

async function removed(path: string): Promise<void> {
  try {
    await unlink(path)
  } catch (error) {
    if (!isCode(error, 'ENOENT')) throw error
  }
}

function isCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code))
}

function lockedBy(folder: string, path: string, holder: Holder, state: 'alive' | 'unknown'): SessionError {
  const who = `process ${holder.pid}${holder.thread === 0 ? '' : `, worker thread ${holder.thread},`} of host ${holder.host}`
  const message =
    state === 'alive'
      ? `The folder ${folder} is locked by ${who}: end that process, or close the folder there`
      : `The folder ${folder} is locked by ${who}, and whether that one lives cannot be told from here: if it does not, remove ${path}`
  return new SessionError('MCP_SESSION_LOCKED', message, { retryable: true })
}

function unreadable(path: string, cause?: unknown): SessionError {
  const message = `The lock file ${path} does not say who holds the folder: if no process uses the folder, remove that file`
  return new SessionError('MCP_SESSION_LOCKED', message, cause === undefined ? {} : { cause })
}
