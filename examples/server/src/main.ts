import { once } from 'node:events'
import { createServer } from 'node:http'
import { createInterface } from 'node:readline'
import { createSessionHandler } from '@mcp-session/http'
import { z } from 'zod'
import { backendOf } from './backend-url.ts'
import { optionsOf } from './options.ts'

const { sdk, backend, port } = optionsOf(process.argv.slice(2))
// Only the SDK that is asked for is loaded.
const build = sdk === 'v1' ? (await import('./server-v1.ts')).buildServerV1 : (await import('./server-v2.ts')).buildServerV2
const live = new Map<string, { say(text: string): Promise<void> }>()

const handler = await createSessionHandler({
  backend: backendOf(backend),
  schema: z.object({ counter: z.number().default(0) }),
  principal: 'anonymous',
  // Stock clients come back for their stream twice: a restart may take 10 s before they give it up.
  retryMs: 5_000,
  server: ({ session }) => {
    const server = build(session)
    const entry = { say: (text: string) => server.sendLoggingMessage({ level: 'info', data: text }) }
    live.set(session.id, entry)
    server.server.onclose = () => {
      if (live.get(session.id) === entry) live.delete(session.id)
    }
    return server
  },
})

const http = createServer((incoming, outgoing) => {
  if (incoming.url?.split('?')[0] === '/mcp') void handler.node(incoming, outgoing)
  else outgoing.writeHead(404).end()
})
http.listen(port, '127.0.0.1')
await once(http, 'listening')
const address = http.address()
console.log(`listening on http://127.0.0.1:${typeof address === 'object' ? address?.port : port}/mcp`)

// A line `notify <session id> <word>` sends a message to that session's client. It is answered when the message is
// stored: from then on the client gets it, whether it is connected or not, and whatever happens to this process.
const lines = createInterface({ input: process.stdin }).on('line', async (line) => {
  const [, id = '', word = ''] = /^notify (\S+) (\S+)$/.exec(line) ?? []
  const server = live.get(id)
  const text = `report '${word}' ready, says ${process.pid}`
  await server?.say(text)
  console.log(server === undefined ? `no live server for session ${id}` : `notified ${id}: ${text}`)
})

process.once('SIGTERM', async () => {
  lines.close()
  http.close()
  await handler.close()
  // A stream that ended just now leaves its connection open for a next request.
  setImmediate(() => http.closeIdleConnections())
  // A client that does not read its stream, or has connected and never asked, must not keep the process.
  setTimeout(() => http.closeAllConnections(), 1_000).unref()
})
