import { getHeapSpaceStatistics } from 'node:v8'
import { openSessions } from '../../src/index.ts'
import { scriptedBackend } from '../scripted-backend.ts'

/** Prints how many bytes a call that was one of many in flight leaves in the old generation, where only a slow collection finds them. */
const callers = 256
const counted = 40_000

const sessions = await openSessions({ backend: scriptedBackend() })
const { id } = await sessions.create({ n: 0 })

async function ask(calls: number): Promise<void> {
  let left = calls
  const caller = async () => {
    for (; left > 0; left -= 1) await sessions.retrieve(id)
  }
  await Promise.all(Array.from({ length: callers }, caller))
}

function oldBytes(): number {
  return getHeapSpaceStatistics().find(({ space_name }) => space_name === 'old_space')?.space_used_size ?? Number.NaN
}

// Until V8 has compiled what it will.
await ask(counted)
const before = oldBytes()
await ask(counted)
process.stdout.write(String(Math.round((oldBytes() - before) / counted)))
await sessions.close()
