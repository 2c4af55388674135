import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sqliteBackend } from '../../../sqlite/src/index.ts'
import type { Harness } from '../../src/index.ts'

const reopen = (place: string) => sqliteBackend({ path: join(place, 'sessions.db') })

export const harness: Harness = {
  async open() {
    const place = await mkdtemp(join(tmpdir(), 'conformance-'))
    return { place, backend: reopen(place) }
  },
  reopen,
  remove: (place) => rm(place, { recursive: true }),
  secondProcess: import.meta.url,
}
