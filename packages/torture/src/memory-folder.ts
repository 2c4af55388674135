import { basename } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Disk, DiskFile } from '@mcp-session/file/internal'

export type DiskOperation = 'create' | 'open' | 'read' | 'write' | 'sync' | 'rename' | 'unlink' | 'sync folder'
export type FolderContent = ReadonlyMap<string, Buffer>

/** A folder in memory, and a disk below it that knows only what was synced. */
export interface MemoryFolder extends Disk {
  /** The files as a process sees them. */
  files(): FolderContent
  /** What a power cut now would leave, where the disk has lost all that it was free to lose. */
  afterPowerCut(): FolderContent
}

interface Inode {
  seen: Buffer
  durable: Buffer
  unsynced: { readonly position: number; readonly bytes: Buffer }[]
}

/**
 * `before`: called before each operation; what it throws is the failure. A write that fails has written its first half. What was
 * not synced when a sync failed will never be: the system takes it for clean (https://lwn.net/Articles/752063/).
 */
export function memoryFolder(content: FolderContent, before: (operation: DiskOperation) => void = () => {}): MemoryFolder {
  const names = new Map<string, Inode>([...content].map(([name, bytes]) => [name, synced(bytes)]))
  let durableNames = new Map(names)

  function file(inode: Inode): DiskFile {
    function put(bytes: Buffer, position: number): void {
      inode.seen = overwritten(inode.seen, bytes, position)
      inode.unsynced.push({ position, bytes: Buffer.from(bytes) })
    }

    async function write(bytes: Buffer, position: number): Promise<void> {
      try {
        before('write')
      } catch (error) {
        put(bytes.subarray(0, bytes.length >> 1), position)
        throw error
      }
      put(bytes, position)
    }

    async function sync(): Promise<void> {
      const writes = inode.unsynced
      inode.unsynced = []
      before('sync')
      for (const { bytes, position } of writes) inode.durable = overwritten(inode.durable, bytes, position)
    }

    return {
      async read(target, position) {
        before('read')
        return inode.seen.copy(target, 0, position, position + target.length)
      },
      write,
      async writeSynced(bytes, position) {
        // As a real one does, so that what runs beside has its turn.
        await nextTurn()
        await write(bytes, position)
        await sync()
      },
      sync,
      size: async () => inode.seen.length,
      close: async () => {},
    }
  }

  function inodeAt(path: string): Inode {
    const inode = names.get(basename(path))
    if (inode === undefined) throw failure('ENOENT')
    return inode
  }

  return {
    files: () => new Map([...names].map(([name, { seen }]) => [name, seen])),
    afterPowerCut: () => new Map([...durableNames].map(([name, { durable }]) => [name, durable])),
    prepareFolder: async () => undefined,
    lock: async () => ({ assertHeld() {}, async release() {} }),
    async create(path) {
      before('create')
      if (names.has(basename(path))) throw failure('EEXIST')
      const inode = synced(Buffer.alloc(0))
      names.set(basename(path), inode)
      return file(inode)
    },
    async open(path) {
      const inode = inodeAt(path)
      before('open')
      return file(inode)
    },
    list: async () => [...names.keys()],
    async rename(from, to) {
      const inode = inodeAt(from)
      before('rename')
      names.delete(basename(from))
      names.set(basename(to), inode)
    },
    async unlink(path) {
      inodeAt(path)
      before('unlink')
      names.delete(basename(path))
    },
    async syncFolder() {
      before('sync folder')
      durableNames = new Map(names)
    },
  }
}

export function failure(code: string): Error {
  return Object.assign(new Error(`${code}: made by the harness`), { code })
}

function synced(bytes: Buffer): Inode {
  return { seen: Buffer.from(bytes), durable: Buffer.from(bytes), unsynced: [] }
}

function overwritten(before: Buffer, bytes: Buffer, position: number): Buffer {
  const after = Buffer.alloc(Math.max(before.length, position + bytes.length))
  before.copy(after)
  bytes.copy(after, position)
  return after
}
