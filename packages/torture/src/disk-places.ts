import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SessionBackend } from '@mcp-session/core/backend'
import { defaultTuning, fileBackendOn, nodeDisk, type Tuning } from '@mcp-session/file/internal'
import { leveldbBackend } from '@mcp-session/leveldb'
import { sqliteBackend } from '@mcp-session/sqlite'
import { plantDiskBug } from './disk-plants.ts'

/** The backends that write to disks of their own. */
export const diskBackends: readonly string[] = ['file', 'sqlite', 'leveldb']

export interface DiskPlace {
  readonly backend: string
  /** An existing folder, in which the store makes its own files. */
  readonly folder: string
  readonly durable?: boolean | undefined
  /** Sizes of `file` as they are for users; otherwise they are small. */
  readonly fullSize?: boolean
  /** A bug for a harness to find, see `disk-plants.ts`. */
  readonly plant?: string | undefined
}

/** Segments so small that hundreds of writes compact the log many times. */
const smallTuning: Tuning = { ...defaultTuning, segmentBytes: 8_192, allocateBytes: 2_048, reserveBytes: 1_024, sliceBytes: 1_024 }

/** The backend there, not open yet, with no cache between it and what is on disk. */
export function diskBackendAt({ backend, folder, durable = true, fullSize = false, plant }: DiskPlace): SessionBackend {
  const planted = plantDiskBug(plant, nodeDisk())
  switch (backend) {
    case 'file':
      return planted.backend(
        fileBackendOn(planted.disk, fullSize ? defaultTuning : smallTuning, { path: join(folder, 'store'), durable, cacheBytes: 0 }),
      )
    case 'sqlite':
      return planted.backend(sqliteBackend({ path: join(folder, 'sessions.db'), durable }))
    case 'leveldb':
      return planted.backend(leveldbBackend({ path: join(folder, 'store'), durable, cacheBytes: 0 }))
    default:
      throw new RangeError(`${backend} is none of ${diskBackends.join(', ')}`)
  }
}

export interface DiskFolder extends AsyncDisposable {
  readonly path: string
}

/** A folder of its own, removed when it is disposed of. */
export async function diskFolder(): Promise<DiskFolder> {
  const path = await mkdtemp(join(tmpdir(), 'mcp-session-disk-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}
