import { writeSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { SessionError } from '@mcp-session/core/backend'
import { diskBackendAt } from './disk-places.ts'

// Opens a store on its first argument, or its worker data, and says what came of it: as a process on descriptor 3, as a worker
// by message. Who owns it then stays until it is killed.

const place: string = parentPort === null ? (process.argv[2] ?? '') : workerData
const backend = diskBackendAt(JSON.parse(place))
try {
  await backend.open()
  say('owner')
  // Something to wait for: nothing else would keep the process.
  setInterval(() => {}, 1_000_000)
} catch (error) {
  say(SessionError.is(error, 'MCP_SESSION_LOCKED') ? 'locked' : `failed: ${error}`)
}

function say(text: string): void {
  if (parentPort === null) writeSync(3, `${text}\n`)
  else parentPort.postMessage(text)
}
