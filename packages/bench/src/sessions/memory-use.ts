import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

export interface MemoryPerSession {
  /** Resident memory of the process. */
  readonly residentBytesPerSession: number
  /** What of it V8 and its buffers account for. */
  readonly heapBytesPerSession: number
}

/** So few say nothing beside what the process takes by itself. */
const leastSessions = 1_000

/** What the process holds more afterwards, garbage aside, for each of the sessions; absent where they are few. */
export async function withMemoryUse<T>(
  sessions: number,
  run: () => Promise<T>,
): Promise<{ readonly result: T } & Partial<MemoryPerSession>> {
  if (sessions < leastSessions) return { result: await run() }
  const before = memoryUse()
  const result = await run()
  const after = memoryUse()
  return {
    result,
    residentBytesPerSession: (after.residentBytes - before.residentBytes) / sessions,
    heapBytesPerSession: (after.heapBytes - before.heapBytes) / sessions,
  }
}

function memoryUse(): { readonly residentBytes: number; readonly heapBytes: number } {
  setFlagsFromString('--expose-gc')
  const collect: () => void = runInNewContext('gc')
  collect()
  collect()
  const { rss, heapUsed, external } = process.memoryUsage()
  return { residentBytes: rss, heapBytes: heapUsed + external }
}
