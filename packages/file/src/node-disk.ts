import { constants, fdatasync, read, write } from 'node:fs'
import { type FileHandle, open, readdir, rename, unlink } from 'node:fs/promises'
import { lockFolder } from '@mcp-session/core/folder-lock'
import type { Disk, DiskFile, FileUse } from './disk.ts'
import { prepareFolder } from './folder.ts'

const { O_CREAT, O_EXCL, O_RDONLY, O_RDWR } = constants
/** Not everywhere: `undefined` on Windows, whatever the type says. */
const noFollow = constants.O_NOFOLLOW ?? 0
/** One hop to the thread pool instead of two, 20–30 % of a lone write's latency. On macOS it would not reach the disk, `fdatasync` of libuv does. */
const syncedWrites = process.platform === 'linux' ? constants.O_DSYNC : 0

/** The disk as it is. */
export function nodeDisk(): Disk {
  return {
    prepareFolder: (path, allowNetwork) => prepareFolder(path, allowNetwork, syncFolder),
    lock: (path, reachedByOtherHosts) => lockFolder(path, { reachedByOtherHosts }),
    create: async (path, use) => diskFile(await open(path, flagsOf(use) | O_CREAT | O_EXCL | noFollow, 0o600), syncs(use)),
    open: async (path, use) => diskFile(await regular(path, flagsOf(use)), syncs(use)),
    list: (folder) => readdir(folder),
    rename,
    unlink,
    syncFolder,
  }
}

async function syncFolder(folder: string): Promise<void> {
  // Windows has no such thing, and its file system keeps names in its journal.
  if (process.platform === 'win32') return
  const handle = await open(folder, O_RDONLY)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function flagsOf(use: FileUse): number {
  if (use === 'reading') return O_RDONLY
  return use === 'synced writes' ? O_RDWR | syncedWrites : O_RDWR
}

/** Whether a descriptor for that use syncs each write by itself. */
function syncs(use: FileUse): boolean {
  return use === 'synced writes' && syncedWrites !== 0
}

async function regular(path: string, flags: number): Promise<FileHandle> {
  // Without O_NONBLOCK a pipe in the place of the file would wait for a writer.
  const handle = await open(path, flags | noFollow | (constants.O_NONBLOCK ?? 0))
  if ((await handle.stat()).isFile()) return handle
  await handle.close()
  throw Object.assign(new Error(`${path} is not a file`), { code: 'EISDIR' })
}

function diskFile(handle: FileHandle, synced: boolean): DiskFile {
  async function writeAll(bytes: Buffer, position: number): Promise<void> {
    for (let done = 0; done < bytes.length; ) done += await writeSome(handle.fd, bytes, done, position + done)
  }

  return {
    async read(target, position) {
      let done = 0
      while (done < target.length) {
        const bytes = await readSome(handle.fd, target, done, position + done)
        if (bytes === 0) break
        done += bytes
      }
      return done
    },
    write: writeAll,
    async writeSynced(bytes, position) {
      await writeAll(bytes, position)
      if (!synced) await syncData(handle.fd)
    },
    sync: () => syncData(handle.fd),
    size: async () => (await handle.stat()).size,
    close: () => handle.close(),
  }
}

// The callbacks of node:fs take a third less time than its promises, and a lone write waits for one of them only.
function writeSome(fd: number, bytes: Buffer, offset: number, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    write(fd, bytes, offset, bytes.length - offset, position, (error, written) => (error === null ? resolve(written) : reject(error)))
  })
}

function readSome(fd: number, target: Buffer, offset: number, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    read(fd, target, offset, target.length - offset, position, (error, bytes) => (error === null ? resolve(bytes) : reject(error)))
  })
}

function syncData(fd: number): Promise<void> {
  return new Promise((resolve, reject) => {
    fdatasync(fd, (error) => (error === null ? resolve() : reject(error)))
  })
}
