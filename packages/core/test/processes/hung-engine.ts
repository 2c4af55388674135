import { openSessions } from '../../src/index.ts'
import { hang } from '../reactions.ts'
import { scriptedBackend } from '../scripted-backend.ts'

const backend = scriptedBackend()
const sessions = await openSessions({ backend, callTimeoutMs: 50 })
backend.always('get', hang)
await sessions.retrieve('s_x').catch((error: unknown) => process.stdout.write(String((error as { code: string }).code)))
await sessions.close()
