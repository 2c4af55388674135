import type { FolderLock } from '@mcp-session/core/folder-lock'

/**
 * All that this package does to a disk. The harnesses put their own between: one that fails at the n-th operation, one that
 * records and enumerates what a power cut can leave. Errors are those of Node, with their `code`.
 */
export interface Disk {
  /** Makes the folder, private to this user, or looks whether it can be used. Gives the name of its network file system, if it is on one. */
  prepareFolder(path: string, allowNetwork: boolean): Promise<string | undefined>
  /** Takes the folder for one opener, see `@mcp-session/core/folder-lock`. */
  lock(path: string, reachedByOtherHosts: boolean): Promise<Pick<FolderLock, 'assertHeld' | 'release'>>
  /** A new file, mode 0600; fails where anything of that name is there. `use`: what it is opened for. */
  create(path: string, use: FileUse): Promise<DiskFile>
  /** An existing file; a symbolic link, or anything but a file, is refused. */
  open(path: string, use: FileUse): Promise<DiskFile>
  /** Names in a folder. */
  list(folder: string): Promise<readonly string[]>
  rename(from: string, to: string): Promise<void>
  unlink(path: string): Promise<void>
  /** Makes names in a folder durable: files that were created, renamed and unlinked there. */
  syncFolder(folder: string): Promise<void>
}

/** `synced writes`: `writeSynced` will be called, again and again. */
export type FileUse = 'reading' | 'writes' | 'synced writes'

export interface DiskFile {
  /** Bytes that were read: fewer than asked for only at the end of the file. */
  read(target: Buffer, position: number): Promise<number>
  /** Writes all bytes; they are not durable. */
  write(bytes: Buffer, position: number): Promise<void>
  /** Writes all bytes and makes them durable, in one step where the system has one. */
  writeSynced(bytes: Buffer, position: number): Promise<void>
  /** Makes what was written durable, as far as it is needed to read it back. */
  sync(): Promise<void>
  size(): Promise<number>
  close(): Promise<void>
}

/** All bytes of a file. */
export async function contentOf(file: DiskFile): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(await file.size())
  return bytes.subarray(0, await file.read(bytes, 0))
}

/**
 * Makes bytes of a file durable that a sync may have failed on before, perhaps one of another process: the system takes for clean what
 * it did not write then, and no later sync writes it, unless it is written once more. https://lwn.net/Articles/752063/
 */
export async function syncAnew(file: DiskFile, bytes: Buffer, position: number): Promise<void> {
  if (bytes.length > 0) await file.write(bytes, position)
  await file.sync()
}
