import { join } from 'node:path'
import type { Disk } from './disk.ts'
import { errorCode } from './file-errors.ts'

/** A part of a file that is not part of the store any more. */
export interface Aside {
  /** Name of the file. */
  readonly name: string
  readonly offset: number
  readonly bytes: Buffer
  /** `torn`: a write that a crash cut short, which was never acknowledged. */
  readonly kind: 'torn' | 'damaged'
  /** Bytes that should have been there beyond the end of the file. */
  readonly lost: number
}

export function asideName({ name, offset, kind }: Aside): string {
  return `${name}.${offset}.${kind}`
}

/** Copies the bytes into files of their own, which nobody reads again but people. */
export async function setAside(disk: Disk, folder: string, asides: readonly Aside[]): Promise<void> {
  for (const aside of asides) if (aside.bytes.length > 0) await keep(disk, join(folder, asideName(aside)), aside.bytes)
  if (asides.length > 0) await disk.syncFolder(folder)
}

async function keep(disk: Disk, path: string, bytes: Buffer): Promise<void> {
  try {
    const file = await disk.create(path, 'writes')
    try {
      await file.write(bytes, 0)
      await file.sync()
    } finally {
      await file.close()
    }
  } catch (error) {
    // An earlier open got as far as this, but not to the end.
    if (errorCode(error) !== 'EEXIST') throw error
  }
}
