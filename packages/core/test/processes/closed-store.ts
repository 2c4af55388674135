import { openSessions } from '../../src/index.ts'
import { scriptedBackend } from '../scripted-backend.ts'

const sessions = await openSessions({ backend: scriptedBackend(), ttlMs: 1_000, touchIntervalMs: 0 })
const { id } = await sessions.create({ n: 0 })
await Promise.all([sessions.update(id, () => ({ n: 1 })), sessions.retrieve(id), sessions.rotate(id)])
await sessions.close()
process.stdout.write('closed')
