import { lstat, readdir, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** What this process and a folder hold at one moment. */
export interface Holdings {
  /** After a forced collection. */
  readonly heapBytes: number
  readonly fileBytes: number
  /** Open ones of files in the folder, also such as have no name any more. 0 where the system does not tell. */
  readonly descriptors: number
  /** Of worker threads, sockets and pipes. */
  readonly handles: number
}

const handleTypes: readonly string[] = ['MessagePort', 'PipeWrap', 'PipeServerWrap', 'TCPSocketWrap', 'TCPServerWrap']

export async function holdingsOf(folder: string): Promise<Holdings> {
  collectGarbage()
  return {
    heapBytes: process.memoryUsage().heapUsed,
    fileBytes: await bytesIn(folder),
    descriptors: await descriptorsIn(folder),
    handles: process.getActiveResourcesInfo().filter((type) => handleTypes.includes(type)).length,
  }
}

function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  const collect: unknown = runInNewContext('gc')
  if (typeof collect !== 'function') throw new Error('no collection can be forced here')
  collect()
}

async function bytesIn(folder: string): Promise<number> {
  const names = await readdir(folder, { recursive: true })
  const sizes = await Promise.all(names.map((name) => lstat(join(folder, name)).then((found) => (found.isFile() ? found.size : 0))))
  return sizes.reduce((sum, size) => sum + size, 0)
}

async function descriptorsIn(folder: string): Promise<number> {
  const numbers = await readdir('/proc/self/fd').catch(() => [])
  const paths = await Promise.all(numbers.map((number) => readlink(`/proc/self/fd/${number}`).catch(() => '')))
  return paths.filter((path) => path.startsWith(folder)).length
}
