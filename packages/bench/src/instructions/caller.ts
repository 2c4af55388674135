import { openSessions } from '@mcp-session/core'
import { memoryBackend } from '@mcp-session/memory'
import { type Content, contentOf, ttlMs } from '../sessions/record.ts'
import { type HotPath, hotPaths, owner, pathNames } from './hot-paths.ts'

/** The process whose instructions are counted: `caller <path> <calls>`. It fails where a call does not find its session. */
const [, , asked, calls] = process.argv
const name = pathNames.find((one) => one === asked)
if (name === undefined) throw new RangeError(`There is no path ${asked}`)
const path: HotPath = hotPaths[name]

const kept = 100
let readings = 0
const sessions = await openSessions<Content>({
  backend: memoryBackend(),
  ttlMs,
  cleanupIntervalMs: 0,
  ...(path.cacheBytes === undefined ? {} : { cacheBytes: path.cacheBytes }),
  // While instructions are counted time runs fifty times as fast, and never twice alike: a clock of its own for the store.
  now: () => {
    readings += 1
    return 1_750_000_000_000 + (readings >> 4)
  },
})
const ids: string[] = []
for (let n = 0; n < kept; n += 1) ids.push((await sessions.create(contentOf(n), { owner })).id)
for (let n = 0; n < Number(calls); n += 1) {
  const found = await path.step(sessions, ids[n % kept] ?? '', n)
  if (!found) throw new Error(`Call ${n} of ${name} did not find its session`)
}
await sessions.close()
