import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Harness } from '@mcp-session/conformance'
import Database from 'better-sqlite3'
import { sqliteBackend } from '../src/index.ts'
import { driverErrors } from './conformance-errors.ts'

const fileIn = (folder: string): string => join(folder, 'sessions.db')
const newFolder = (): Promise<string> => mkdtemp(join(tmpdir(), 'mcp-session-conformance-'))

export const harness: Harness = {
  async open() {
    const place = await newFolder()
    return { place, backend: sqliteBackend({ path: fileIn(place) }) }
  },
  reopen: (place) => sqliteBackend({ path: fileIn(place) }),
  remove: (place) => rm(place, { recursive: true, force: true }),
  secondProcess: import.meta.url,
  async borrow() {
    const folder = await newFolder()
    const database = new Database(fileIn(folder))
    return {
      backend: sqliteBackend({ database }),
      use: () => database.prepare('select 1').get(),
      async close() {
        database.close()
        await rm(folder, { recursive: true, force: true })
      },
    }
  },
  errors: driverErrors,
}
