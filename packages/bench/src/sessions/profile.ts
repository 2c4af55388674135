import { mkdir, writeFile } from 'node:fs/promises'
import { Session } from 'node:inspector/promises'
import { dirname } from 'node:path'

/** Runs something under V8's profiler, and writes what it found to that file. */
export async function profiled<T>(path: string, run: () => Promise<T>): Promise<T> {
  const session = new Session()
  await mkdir(dirname(path), { recursive: true })
  session.connect()
  try {
    await session.post('Profiler.enable')
    await session.post('Profiler.start')
    const result = await run()
    const { profile } = await session.post('Profiler.stop')
    await writeFile(path, JSON.stringify(profile))
    return result
  } finally {
    session.disconnect()
  }
}
