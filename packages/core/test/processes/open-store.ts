import { openSessions } from '../../src/index.ts'
import { scriptedBackend } from '../scripted-backend.ts'

const sessions = await openSessions({ backend: scriptedBackend(), ttlMs: 1_000, touchIntervalMs: 0, cleanupIntervalMs: 60_000 })
const { id } = await sessions.create({ n: 0 })
await sessions.update(id, () => ({ n: 1 }))
await sessions.retrieve(id)
process.stdout.write('left open')
