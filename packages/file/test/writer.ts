// A process that creates one session after the other, some at once, and says which are acknowledged.
import type { Call } from '@mcp-session/core/backend'
import { fileBackend } from '../src/index.ts'

const backend = fileBackend({ path: process.argv[2] ?? '' })
await backend.open()
const epoch = 1_000_000
const call = (): Call => ({ now: epoch, deadlineAt: performance.now() + 20_000 })
let next = 0

async function writeForEver(): Promise<void> {
  for (;;) {
    next += 1
    const n = next
    const instants = {
      createdAt: epoch,
      lastAccessedAt: epoch,
      ttlMs: 60_000,
      mustEndAt: Number.POSITIVE_INFINITY,
      expiresAt: epoch + 60_000,
    }
    await backend.create({ id: `s_${n}`, rev: 'r', prevRev: null, owner: null, ...instants, data: `{"n":${n}}` }, call())
    process.stdout.write(`acknowledged ${n}\n`)
  }
}

await Promise.all(Array.from({ length: 8 }, writeForEver))
