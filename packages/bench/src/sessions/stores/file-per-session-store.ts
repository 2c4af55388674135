import { randomUUID } from 'node:crypto'
import { open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { PeerRecord } from '../record.ts'
import type { Store } from '../store.ts'
import { keyValueStore } from './key-value-store.ts'

/** A file per session, written aside and renamed; `durable` syncs the file and its folder before it says so. */
export async function filePerSession(folder: string, durable: boolean): Promise<Store> {
  const directory = await open(folder)

  async function set(id: string, record: PeerRecord): Promise<void> {
    const written = join(folder, `${randomUUID()}.tmp`)
    const file = await open(written, 'wx', 0o600)
    try {
      await file.writeFile(JSON.stringify(record))
      if (durable) await file.datasync()
    } finally {
      await file.close()
    }
    await rename(written, pathOf(id))
    if (durable) await directory.sync()
  }

  function pathOf(id: string): string {
    return join(folder, `${id}.json`)
  }

  return keyValueStore({
    async get(id) {
      const text = await readFile(pathOf(id), 'utf8').catch(absent)
      return text === undefined ? undefined : JSON.parse(text)
    },
    set,
    async delete(id) {
      await rm(pathOf(id), { force: true })
      if (durable) await directory.sync()
    },
    count: async () => (await readdir(folder)).length,
    close: () => directory.close(),
  })
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
}
