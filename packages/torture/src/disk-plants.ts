import { openSync } from 'node:fs'
import { readFile, unlink, writeFile } from 'node:fs/promises'
import type { SessionBackend, SessionRecord } from '@mcp-session/core/backend'
import type { Disk, DiskFile } from '@mcp-session/file/internal'
import { faultBugs } from './iofault-plants.ts'

/** A disk and a backend on it with a bug in one of them. */
export interface DiskPlant {
  readonly disk: Disk
  backend(honest: SessionBackend): SessionBackend
}

/** `undefined` plants none. */
export function plantDiskBug(name: string | undefined, disk: Disk): DiskPlant {
  const honest: DiskPlant = { disk, backend: (backend) => backend }
  if (name === undefined) return honest
  const plant = plants[name]
  if (plant === undefined) throw new RangeError(`No bug is called ${name}`)
  return { ...honest, ...plant(disk) }
}

const plants: Readonly<Record<string, (disk: Disk) => Partial<DiskPlant>>> = {
  ...faultBugs,
  /** Acknowledges a replace while it is under way. */
  early: () => ({ backend: early }),
  /** Acknowledges a record whether or not it could be written. */
  'early-create': () => ({
    backend: (backend) => over(backend, { create: (record, call) => backend.create(record, call).catch(() => true) }),
  }),
  /** Sweeps by a clock that is an hour late. */
  'late-sweep': () => ({
    backend: (backend) =>
      over(backend, { deleteExpired: (limit, call) => backend.deleteExpired(limit, { ...call, now: call.now - 3_600_000 }) }),
  }),
  /** Keeps every record that it was ever given. */
  hoarding: () => ({ backend: hoarding }),
  /** Never deletes a segment. */
  'kept-segments': (disk) => ({ disk: { ...disk, unlink: async (path) => (path.endsWith('.log') ? undefined : disk.unlink(path)) } }),
  /** Opens each file that it makes twice, and closes it once. */
  'open-files': (disk) => ({
    disk: {
      ...disk,
      async create(path, use) {
        const file = await disk.create(path, use)
        openSync(path, 'r')
        return file
      },
    },
  }),
  /** Says that bytes are durable without a sync. */
  'no-sync': (disk) => ({ disk: { ...unsynced(disk), async syncFolder() {} } }),
  /** Never makes names in a folder durable. */
  'no-folder-sync': (disk) => ({ disk: { ...disk, async syncFolder() {} } }),
  /** Overwrites a file of the disk, whichever that is, that it should put another in the place of. */
  overwrites: (disk) => ({ disk: { ...disk, rename: (from, to) => overwrite(disk, from, to) } }),
  /** Overwrites the file that it should put another in the place of. */
  'in-place': (disk) => ({
    disk: {
      ...disk,
      async rename(from, to) {
        await writeFile(to, '')
        await writeFile(to, await readFile(from))
        await unlink(from)
      },
    },
  }),
  /** Goes on with the descriptor of a new segment that another file has taken the place of. */
  stale: (disk) => ({
    disk: {
      ...disk,
      async create(path, use) {
        const file = await disk.create(path, use)
        if (!path.endsWith('.log')) return file
        const content = Buffer.alloc(await file.size())
        await disk.unlink(path)
        const other = await disk.create(path, use)
        await other.write(content, 0)
        await other.close()
        return file
      },
    },
  }),
  /** Reads the last bytes of a log as if they were not there. */
  'short-reads': (disk) => ({
    disk: { ...disk, open: async (path, use) => (path.endsWith('.log') ? short(await disk.open(path, use)) : disk.open(path, use)) },
  }),
  /** Lets everybody in. */
  'no-lock': (disk) => ({ disk: { ...disk, lock: async () => ({ assertHeld() {}, async release() {} }) } }),
}

function early(backend: SessionBackend): SessionBackend {
  return over(backend, {
    async replace(record, expectedRev, call) {
      backend.replace(record, expectedRev, call).catch(() => {})
      return { replaced: true }
    },
  })
}

function hoarding(backend: SessionBackend): SessionBackend {
  const records: SessionRecord[] = []
  return over(backend, {
    create(record, call) {
      // A text of its own: else it would only name the one that the test has.
      records.push({ ...record, data: JSON.stringify(Array.from(record.data.repeat(10))) })
      return backend.create(record, call)
    },
  })
}

function over(backend: SessionBackend, bugs: Partial<Omit<SessionBackend, 'info'>>): SessionBackend {
  const planted = { ...backend, ...bugs }
  // What `info` says may be known only once it is open.
  return Object.defineProperty(planted, 'info', { get: () => backend.info })
}

async function overwrite(disk: Disk, from: string, to: string): Promise<void> {
  const target = await disk.open(to, 'writes').catch(() => undefined)
  if (target === undefined) return disk.rename(from, to)
  const source = await disk.open(from, 'reading')
  const bytes = Buffer.alloc(await source.size())
  await source.read(bytes, 0)
  await source.close()
  await target.write(bytes, 0)
  await target.sync()
  await target.close()
  await disk.unlink(from)
}

function unsynced(disk: Disk): Disk {
  const without = (file: DiskFile): DiskFile => ({ ...file, writeSynced: file.write, async sync() {} })
  return {
    ...disk,
    // Opened for synced writes, each write would be synced by the system itself.
    create: async (path, use) => without(await disk.create(path, use === 'synced writes' ? 'writes' : use)),
    open: async (path, use) => without(await disk.open(path, use === 'synced writes' ? 'writes' : use)),
  }
}

function short(file: DiskFile): DiskFile {
  return {
    ...file,
    async read(target, position) {
      const read = await file.read(target, position)
      let end = read
      while (end > 0 && target[end - 1] === 0) end -= 1
      if (end > 200) target.fill(0, end - 8, end)
      return read
    },
  }
}
