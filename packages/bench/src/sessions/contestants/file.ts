import { join } from 'node:path'
import type { Contestant } from '../contestant.ts'

export const fileContestants: readonly Contestant[] = [
  {
    name: 'file',
    family: 'file',
    note: 'survives power loss; atomic update',
    open: ({ folder }) => openOurs(folder, true),
  },
  {
    name: 'file relaxed',
    family: 'file',
    note: 'survives the process, and a power cut but for the last 200 ms; atomic update',
    open: ({ folder }) => openOurs(folder, false),
  },
  {
    name: 'fdatasync',
    family: 'file',
    beside: 'file',
    note: 'floor: one record appended and synced per write, and nothing else',
    ops: ['create'],
    async open({ folder }) {
      const { fdatasyncStore } = await import('../stores/fdatasync-store.ts')
      return fdatasyncStore(folder)
    },
  },
  {
    name: 'file per session, fsync',
    family: 'file',
    beside: 'file',
    note: 'survives power loss; write, sync, rename, sync of the folder; update is get + set',
    async open({ folder }) {
      const { filePerSession } = await import('../stores/file-per-session-store.ts')
      return filePerSession(folder, true)
    },
  },
  {
    name: 'file per session',
    family: 'file',
    beside: 'file relaxed',
    note: 'survives the process; write and rename; update is get + set',
    async open({ folder }) {
      const { filePerSession } = await import('../stores/file-per-session-store.ts')
      return filePerSession(folder, false)
    },
  },
  {
    name: 'session-file-store',
    family: 'file',
    beside: 'file relaxed',
    note: 'survives the process; of express-session; update is get + set',
    async open({ folder }) {
      const { sessionFileStore } = await import('../stores/express-stores.ts')
      return sessionFileStore(folder)
    },
  },
  {
    name: 'unstorage fs',
    family: 'file',
    beside: 'file relaxed',
    note: 'survives the process, but a reader may see half a write; update is get + set',
    async open({ folder }) {
      const [{ unstorageStore }, { default: driver }] = await Promise.all([
        import('../stores/unstorage-store.ts'),
        import('unstorage/drivers/fs'),
      ])
      return unstorageStore(driver({ base: folder }))
    },
  },
]

async function openOurs(folder: string, durable: boolean) {
  const [{ fileBackend }, { ourStore }] = await Promise.all([import('@mcp-session/file'), import('../stores/our-store.ts')])
  return ourStore(fileBackend({ path: join(folder, 'sessions'), durable }))
}
