import { getHeapSpaceStatistics } from 'node:v8'
import { openSessions } from '@mcp-session/core'
import { memoryBackend } from '../../src/index.ts'

/** Prints how many bytes a call that is one of many in flight leaves in the old generation of V8, where only a slow collection finds them. */
const callers = 256
const calls = 40_000

const sessions = await openSessions({ backend: memoryBackend() })
const { id } = await sessions.create({ n: 0 })

async function ask(): Promise<void> {
  let left = calls
  const caller = async () => {
    for (; left > 0; left -= 1) {
      if (left === calls / 2) growOld()
      await sessions.retrieve(id)
    }
  }
  await Promise.all(Array.from({ length: callers }, caller))
}

/** What is in use now survives twice, and is no young garbage later, as happens to a few things in any process. */
function growOld(): void {
  for (let n = 0; n < 2; n += 1) globalThis.gc?.({ type: 'minor' })
}

function oldBytes(): number {
  return getHeapSpaceStatistics().find(({ space_name }) => space_name === 'old_space')?.space_used_size ?? Number.NaN
}

// Until V8 has compiled what it will.
await ask()
const before = oldBytes()
await ask()
process.stdout.write(String(Math.round((oldBytes() - before) / calls)))
await sessions.close()
