import { execFile, spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { NotRun } from './harness.ts'

const run = promisify(execFile)
const endingSignals = ['SIGINT', 'SIGTERM'] as const
const imageBytes = 64 * 1024 * 1024

/** An ext4 file system on a device that is a file: this holds what was synced, the page cache of the file system the rest. */
export interface Ext4Image extends AsyncDisposable {
  /** Where it is mounted. */
  readonly path: string
  /** Loses what the device does not have. Whoever writes is stopped meanwhile; `afterCopy` ends them, as nobody may have a file open then. */
  cutPower(afterCopy: () => Promise<void>): Promise<void>
}

/** Throws `NotRun` where nothing can be made or mounted. */
export async function ext4Image(): Promise<Ext4Image> {
  const folder = await mkdtemp(join(tmpdir(), 'mcp-session-ext4-'))
  const path = join(folder, 'mounted')
  const image = join(folder, 'image')
  const copy = join(folder, 'copy')
  let isMounted = false

  async function mount(): Promise<void> {
    // Without it the journal is committed every 5 s, and that would hide a missing sync.
    await run('mount', ['-t', 'ext4', '-o', 'loop,commit=600', image, path])
    isMounted = true
  }

  async function unmount(): Promise<void> {
    await run('umount', [path])
    isMounted = false
  }

  /** A process that a signal ends disposes of nothing. */
  function removeAtOnce(signal: NodeJS.Signals): void {
    if (isMounted) spawnSync('umount', ['--lazy', path])
    rmSync(folder, { recursive: true, force: true })
    process.kill(process.pid, signal)
  }

  async function remove(): Promise<void> {
    for (const signal of endingSignals) process.off(signal, removeAtOnce)
    if (isMounted) await run('umount', [path]).catch(() => run('umount', ['--lazy', path]))
    await rm(folder, { recursive: true, force: true })
  }

  for (const signal of endingSignals) process.once(signal, removeAtOnce)
  try {
    await mkdir(path)
    await writeFile(image, '')
    await truncate(image, imageBytes)
    await run('mkfs.ext4', ['-q', '-F', '-J', 'size=4', image])
    await mount()
  } catch (error) {
    await remove()
    throw new NotRun(`no ext4 image can be mounted here: ${error instanceof Error ? error.message : error}`)
  }
  return {
    path,
    async cutPower(afterCopy) {
      for (let before = '', after = await deviceWrites(path); before !== after; ) {
        before = after
        await run('cp', ['--sparse=always', image, copy])
        // A copy of a device that was written to meanwhile is of no single instant.
        after = await deviceWrites(path)
      }
      await afterCopy()
      await unmount()
      await rename(copy, image)
      await mount()
    },
    [Symbol.asyncDispose]: remove,
  }
}

/** What the device counts of writes: those that are done, and requests under way. */
async function deviceWrites(mounted: string): Promise<string> {
  const { dev } = await stat(mounted)
  const major = (dev >> 8) & 0xfff
  const minor = (dev & 0xff) | ((dev >> 12) & 0xfff00)
  const fields = (await readFile(`/sys/dev/block/${major}:${minor}/stat`, 'utf8')).trim().split(/ +/)
  const [, , , , writes, , sectors, , underWay] = fields
  return `${writes} ${sectors} ${underWay}`
}
