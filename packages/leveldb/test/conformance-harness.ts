import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Harness } from '@mcp-session/conformance'
import { ClassicLevel } from 'classic-level'
import { leveldbBackend } from '../src/index.ts'
import { driverErrors } from './conformance-errors.ts'

const newFolder = (): Promise<string> => mkdtemp(join(tmpdir(), 'mcp-session-conformance-'))

export const harness: Harness = {
  async open() {
    const place = await newFolder()
    return { place, backend: leveldbBackend({ path: place }) }
  },
  reopen: (place) => leveldbBackend({ path: place }),
  remove: (place) => rm(place, { recursive: true, force: true }),
  secondProcess: import.meta.url,
  async borrow() {
    const folder = await newFolder()
    const db = new ClassicLevel<Uint8Array, unknown>(folder, { keyEncoding: 'view', valueEncoding: 'json' })
    await db.open()
    const rest = db.sublevel('rest of the application'.replaceAll(' ', '-'))
    return {
      backend: leveldbBackend({ db: db.sublevel('sessions') }),
      client: db,
      use: () => rest.put('key', 'value'),
      async close() {
        await db.close()
        await rm(folder, { recursive: true, force: true })
      },
    }
  },
  errors: driverErrors,
}
