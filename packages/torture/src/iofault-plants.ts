import type { Disk, DiskFile } from '@mcp-session/file/internal'

/** Disks that make a wrong thing of their failures. */
export const faultBugs: Readonly<Record<string, (disk: Disk) => { readonly disk: Disk }>> = {
  /** Takes a sync that failed for one that did not. */
  'deaf-sync': (disk) => ({
    disk: withFiles(disk, (file) => {
      const sync = () => file.sync().catch(() => {})
      const writeSynced = async (bytes: Buffer, position: number) => {
        await file.write(bytes, position)
        await sync()
      }
      return { ...file, writeSynced, sync }
    }),
  }),
  /** Takes a write that failed for one that did not. */
  'deaf-write': (disk) => ({
    disk: withFiles(disk, (file) => {
      const write = (bytes: Buffer, position: number) => file.write(bytes, position).catch(() => {})
      const writeSynced = async (bytes: Buffer, position: number) => {
        await write(bytes, position)
        await file.sync()
      }
      return { ...file, write, writeSynced }
    }),
  }),
  /** Fails without saying why. */
  nameless: (disk) => ({
    disk: withFiles(disk, (file) => ({
      ...file,
      writeSynced: (...args) => file.writeSynced(...args).catch(() => Promise.reject(new Error('It failed'))),
    })),
  }),
  /** Writes nothing more once a write has failed. */
  stuck: (disk) => {
    let failed: unknown
    const writeSynced = (file: DiskFile) => async (bytes: Buffer, position: number) => {
      if (failed !== undefined) throw failed
      await file.writeSynced(bytes, position).catch((error: unknown) => {
        failed = error
        throw error
      })
    }
    return { disk: withFiles(disk, (file) => ({ ...file, writeSynced: writeSynced(file) })) }
  },
}

/** Opened for synced writes, a file would sync each write by itself. */
function withFiles(disk: Disk, change: (file: DiskFile) => DiskFile): Disk {
  return {
    ...disk,
    create: async (path, use) => change(await disk.create(path, use === 'synced writes' ? 'writes' : use)),
    open: async (path, use) => change(await disk.open(path, use === 'synced writes' ? 'writes' : use)),
  }
}
