import { once } from 'node:events'
import { createServer } from 'node:http'
import { createSessionHandler } from '@mcp-session/http'
import { memoryBackend } from '@mcp-session/memory'
import { sqliteBackend } from '@mcp-session/sqlite'
import { commandLine, type Options } from './options.ts'
import { stockHandler } from './stock-handler.ts'

const { sdk, backend: path, port, stock, answers } = commandLine().parse().opts<Options>()

// Only the SDK that is asked for is loaded.
const [everything, connect] = sdk === 'v1' ? await major1() : await major2()

const handler = stock
  ? stockHandler(connect)
  : await createSessionHandler({
      backend: path === undefined ? memoryBackend() : sqliteBackend({ path }),
      principal: 'anonymous',
      // The SDK's own transport answers with streams only. For JSON every answer is waited for: the score depends on no clock.
      jsonWaitMs: answers === 'streams' ? 0 : 30_000,
      server: everything,
    })

const http = createServer((incoming, outgoing) => {
  if (incoming.url?.split('?')[0] === '/mcp') void handler.node(incoming, outgoing)
  else outgoing.writeHead(404).end()
})
http.listen(port, '127.0.0.1')
await once(http, 'listening')
const address = http.address()
console.log(`listening on http://127.0.0.1:${typeof address === 'object' ? address?.port : port}/mcp`)

process.once('SIGTERM', async () => {
  http.close()
  await handler.close()
  // A stream that ended just now leaves its connection open for a next request.
  setImmediate(() => http.closeIdleConnections())
  // A client that does not read its stream, or has connected and never asked, must not keep the process.
  setTimeout(() => http.closeAllConnections(), 1_000).unref()
})

async function major1() {
  const { everythingV1, stockV1 } = await import('./everything-v1.ts')
  return [everythingV1, stockV1] as const
}

async function major2() {
  const { everythingV2, stockV2 } = await import('./everything-v2.ts')
  return [everythingV2, stockV2] as const
}
