import { basename, dirname } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Disk, DiskFile } from '../src/disk.ts'

/** One thing that was done to a disk. */
export type Operation =
  | { readonly do: 'write'; readonly file: number; readonly position: number; readonly bytes: Buffer }
  | { readonly do: 'sync'; readonly file: number }
  /** The system takes for clean what it did not write, and no later sync writes it: https://lwn.net/Articles/752063/ */
  | { readonly do: 'failed sync'; readonly file: number }
  | { readonly do: 'create'; readonly name: string; readonly file: number }
  | { readonly do: 'rename'; readonly from: string; readonly to: string }
  | { readonly do: 'unlink'; readonly name: string }
  | { readonly do: 'sync folder' }

/** A disk of one folder in memory that notes every change, so that what a power cut may leave can be made of them. */
export interface MemoryDisk extends Disk {
  readonly operations: readonly Operation[]
  /** The files as they are: what a process sees after a kill. */
  files(): Map<string, Buffer>
}

/** `content`: files of the folder. `before`: called before every operation, with its name; what it throws is the failure. */
export function memoryDisk(content: ReadonlyMap<string, Buffer> = new Map(), before: (operation: string) => void = () => {}): MemoryDisk {
  const operations: Operation[] = []
  const inodes: Buffer[] = []
  const names = new Map<string, number>()
  for (const [name, bytes] of content) {
    names.set(name, inodes.length)
    inodes.push(Buffer.from(bytes))
  }

  function file(inode: number): DiskFile {
    const bytesOf = (): Buffer => inodes[inode] ?? Buffer.alloc(0)
    return {
      async read(target, position) {
        before('read')
        return bytesOf().copy(target, 0, position, position + target.length)
      },
      async write(bytes, position) {
        before('write')
        inodes[inode] = written(bytesOf(), bytes, position)
        operations.push({ do: 'write', file: inode, position, bytes: Buffer.from(bytes) })
      },
      async writeSynced(bytes, position) {
        // As a real one does, so that what runs beside has its turn.
        await nextTurn()
        before('write')
        inodes[inode] = written(bytesOf(), bytes, position)
        operations.push({ do: 'write', file: inode, position, bytes: Buffer.from(bytes) })
        await this.sync()
      },
      async sync() {
        try {
          before('sync')
        } catch (error) {
          operations.push({ do: 'failed sync', file: inode })
          throw error
        }
        operations.push({ do: 'sync', file: inode })
      },
      size: async () => bytesOf().length,
      close: async () => {},
    }
  }

  return {
    operations,
    files: () => new Map([...names].map(([name, inode]) => [name, inodes[inode] ?? Buffer.alloc(0)])),
    prepareFolder: async () => undefined,
    lock: async () => ({ assertHeld() {}, async release() {} }),
    async create(path) {
      before('create')
      const name = basename(path)
      if (names.has(name)) throw failure('EEXIST')
      const inode = inodes.push(Buffer.alloc(0)) - 1
      names.set(name, inode)
      operations.push({ do: 'create', name, file: inode })
      return file(inode)
    },
    async open(path) {
      before('open')
      const inode = names.get(basename(path))
      if (inode === undefined) throw failure('ENOENT')
      return file(inode)
    },
    async list() {
      return [...names.keys()]
    },
    async rename(from, to) {
      before('rename')
      const inode = names.get(basename(from))
      if (inode === undefined || dirname(from) !== dirname(to)) throw failure('ENOENT')
      names.delete(basename(from))
      names.set(basename(to), inode)
      operations.push({ do: 'rename', from: basename(from), to: basename(to) })
    },
    async unlink(path) {
      const name = basename(path)
      // A file that is not there is no operation: `before` counts those that change something.
      if (!names.has(name)) throw failure('ENOENT')
      before('unlink')
      names.delete(name)
      operations.push({ do: 'unlink', name })
    },
    async syncFolder() {
      before('sync folder')
      operations.push({ do: 'sync folder' })
    },
  }
}

export function failure(code: string): Error {
  return Object.assign(new Error(`${code}: made by the test`), { code })
}

/** How a power cut decides about what was not synced. */
export interface Fate {
  /** Whether a write that was not synced got to the disk; `torn`: only its first so many bytes, a number of sectors. */
  write(index: number, bytes: number): 'kept' | 'lost' | { readonly torn: number }
  /** How many of the changes of names that were not synced got to the disk: the first ones, as journals keep their order. */
  names(changes: number): number
}

/** The files after a power cut before operation `end`: what was synced is there, the rest as `fate` has it. */
export function afterPowerCut(
  content: ReadonlyMap<string, Buffer>,
  operations: readonly Operation[],
  end: number,
  fate: Fate,
): Map<string, Buffer> {
  const done = operations.slice(0, end)
  const syncedFolder = done.findLastIndex((each) => each.do === 'sync folder')
  const changes = done.map((each, index) => ({ each, index })).filter(({ each }) => isChangeOfNames(each))
  const unsynced = changes.filter(({ index }) => index > syncedFolder).length
  const kept = new Set(changes.slice(0, changes.length - unsynced + fate.names(unsynced)).map(({ index }) => index))
  const names = new Map<string, number>()
  const inodes: Buffer[] = []
  for (const [name, bytes] of content) {
    names.set(name, inodes.length)
    inodes.push(Buffer.from(bytes))
  }
  for (const [index, operation] of done.entries()) {
    if (operation.do === 'write') {
      const isSynced = done.slice(index).find((each) => isSyncOf(each, operation.file))?.do === 'sync'
      const outcome = isSynced ? 'kept' : fate.write(index, operation.bytes.length)
      const bytes = typeof outcome === 'object' ? operation.bytes.subarray(0, outcome.torn) : operation.bytes
      if (outcome !== 'lost') inodes[operation.file] = written(inodes[operation.file] ?? Buffer.alloc(0), bytes, operation.position)
    }
    if (!kept.has(index)) continue
    if (operation.do === 'create') names.set(operation.name, operation.file)
    if (operation.do === 'unlink') names.delete(operation.name)
    if (operation.do === 'rename') {
      const inode = names.get(operation.from)
      names.delete(operation.from)
      if (inode !== undefined) names.set(operation.to, inode)
    }
  }
  return new Map([...names].map(([name, inode]) => [name, inodes[inode] ?? Buffer.alloc(0)]))
}

function isSyncOf(operation: Operation, file: number): boolean {
  return (operation.do === 'sync' || operation.do === 'failed sync') && operation.file === file
}

function isChangeOfNames(operation: Operation): boolean {
  return operation.do === 'create' || operation.do === 'rename' || operation.do === 'unlink'
}

function written(before: Buffer, bytes: Buffer, position: number): Buffer {
  const end = position + bytes.length
  const after = end <= before.length ? before : Buffer.concat([before, Buffer.alloc(end - before.length)])
  bytes.copy(after, position)
  return after
}
