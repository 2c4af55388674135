import { randomBytes } from 'node:crypto'
import { stat, statfs, truncate, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Room that is kept beside the database for the day on which the disk is full: a session must be deletable then. */
export interface Reserve {
  /** Takes the room if it is not there. It never fails: without room there is none. */
  keep(): Promise<void>
  /** Gives the room to the database. */
  release(): Promise<void>
  /** Whether it was given away, or never taken: then there is none to give. */
  isGone(): boolean
}

/** Some hundred deletions; each writes its pages to the write-ahead log. */
const reserveBytes = 1024 * 1024

/** The file is none of SQLite's: opening and closing it drops no lock on the database. */
export function reserve(path: string): Reserve {
  let gone = true

  async function isThere(): Promise<boolean> {
    const found = await stat(path).catch(() => undefined)
    return found !== undefined && found.size >= reserveBytes
  }

  /** What it takes must not be the last of the disk. */
  async function hasRoom(): Promise<boolean> {
    const { bavail, bsize } = await statfs(dirname(path))
    return bavail * bsize >= 1.25 * reserveBytes
  }

  async function take(): Promise<void> {
    if (await isThere()) gone = false
    else if (await hasRoom()) {
      // Random: a file system that compresses would keep no room for zeros.
      await writeFile(path, randomBytes(reserveBytes), { mode: 0o600 })
      gone = false
    }
  }

  return {
    keep: () => take().catch(() => {}),
    async release() {
      gone = true
      await truncate(path, 0).catch(() => {})
    },
    isGone: () => gone,
  }
}
