import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { parseArgs } from 'node:util'
import { createSessionHandler } from '@mcp-session/http'
import { memoryBackend } from '@mcp-session/memory'
import { sqliteBackend } from '@mcp-session/sqlite'
import { stockHandler } from './stock.ts'

/** One server of the comparison, as a process of its own: a node of ours, or the SDK's transport. */
const { values } = parseArgs({
  options: {
    sdk: { type: 'string', default: 'v2' },
    /** `stock`, `memory`, or `sqlite:<path>`. */
    sessions: { type: 'string', default: 'stock' },
    /** Writes an access at most that often, in milliseconds; default: the adapter's. */
    touch: { type: 'string' },
  },
})

// Only the SDK that is asked for is loaded.
const sdk = values.sdk === 'v1' ? await import('./sdk-v1.ts') : await import('./sdk-v2.ts')
const handle = await handlerOf(values.sessions, values.touch)
const http = createServer((req, res) => {
  void handle(req, res)
})
// Nobody is to reconnect in the middle of a measurement.
http.keepAliveTimeout = 0
http.listen(0, '127.0.0.1')
await once(http, 'listening')
const address = http.address()
console.log(`listening on ${typeof address === 'object' ? address?.port : ''}`)

process.on('message', (question) => {
  const { user, system } = process.cpuUsage()
  process.send?.({ question, cpuMs: (user + system) / 1_000 })
})

async function handlerOf(
  sessions: string,
  touch: string | undefined,
): Promise<(req: IncomingMessage, res: ServerResponse) => Promise<void>> {
  if (sessions === 'stock') return stockHandler(sdk.connectStock)
  const path = /^sqlite:(.+)$/.exec(sessions)?.[1]
  const { node } = await createSessionHandler({
    backend: path === undefined ? memoryBackend() : sqliteBackend({ path }),
    principal: 'anonymous',
    server: sdk.makeServer,
    ...(touch === undefined ? {} : { touchIntervalMs: Number(touch) }),
  })
  return node
}
