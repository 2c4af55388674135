import { basename } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Disk, DiskFile } from '@mcp-session/file/internal'

/** One thing that was done to a disk. `file`: its number, which it keeps when it has another name, or none any more. */
export type DiskOperation =
  | { readonly do: 'write'; readonly file: number; readonly position: number; readonly bytes: Buffer }
  | { readonly do: 'sync'; readonly file: number }
  | { readonly do: 'create'; readonly name: string; readonly file: number }
  | { readonly do: 'rename'; readonly from: string; readonly to: string }
  | { readonly do: 'unlink'; readonly name: string }
  | { readonly do: 'sync folder' }

/** The files of a folder by their names. */
export type DiskContent = ReadonlyMap<string, Buffer>

/** A disk in memory that notes in their order the operations which change it. */
export interface RecordedDisk extends Disk {
  readonly operations: readonly DiskOperation[]
}

/** A disk with one folder that holds `content`, whatever the folder is called. All of that is durable already. */
export function recordedDisk(content: DiskContent = new Map()): RecordedDisk {
  const operations: DiskOperation[] = []
  const names = new Map([...content.keys()].map((name, file) => [name, file]))
  const files: Buffer[] = [...content.values()].map((bytes) => Buffer.from(bytes))

  function fileOf(file: number): DiskFile {
    const bytesOf = () => files[file] ?? Buffer.alloc(0)

    async function write(bytes: Buffer, position: number): Promise<void> {
      files[file] = overwritten(bytesOf(), bytes, position)
      operations.push({ do: 'write', file, position, bytes: Buffer.from(bytes) })
    }

    async function sync(): Promise<void> {
      operations.push({ do: 'sync', file })
    }

    return {
      read: async (target, position) => bytesOf().copy(target, 0, position),
      write,
      async writeSynced(bytes, position) {
        // As on a real disk, others have their turn before it is done.
        await nextTurn()
        await write(bytes, position)
        await nextTurn()
        await sync()
      },
      sync,
      size: async () => bytesOf().length,
      async close() {},
    }
  }

  function named(path: string): number {
    const file = names.get(basename(path))
    if (file === undefined) throw failure('ENOENT', path)
    return file
  }

  return {
    operations,
    prepareFolder: async () => undefined,
    lock: async () => ({ assertHeld() {}, async release() {} }),
    async create(path) {
      const name = basename(path)
      if (names.has(name)) throw failure('EEXIST', path)
      const file = files.push(Buffer.alloc(0)) - 1
      names.set(name, file)
      operations.push({ do: 'create', name, file })
      return fileOf(file)
    },
    open: async (path) => fileOf(named(path)),
    list: async () => [...names.keys()],
    async rename(from, to) {
      names.set(basename(to), named(from))
      names.delete(basename(from))
      operations.push({ do: 'rename', from: basename(from), to: basename(to) })
    },
    async unlink(path) {
      named(path)
      names.delete(basename(path))
      operations.push({ do: 'unlink', name: basename(path) })
    },
    async syncFolder() {
      operations.push({ do: 'sync folder' })
    },
  }
}

/** Bytes with others over them; what lies between the end and these is zeros. */
export function overwritten(before: Buffer, bytes: Buffer, position: number): Buffer {
  const end = position + bytes.length
  const after = end <= before.length ? before : Buffer.concat([before, Buffer.alloc(end - before.length)])
  bytes.copy(after, position)
  return after
}

function failure(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code })
}
