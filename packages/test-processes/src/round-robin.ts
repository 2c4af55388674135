import { createServer, type IncomingHttpHeaders, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { listenOnLoopback } from './loopback.ts'

/** A load balancer without stickiness: each request goes to the next target. */
export interface RoundRobin extends AsyncDisposable {
  readonly port: number
  readonly url: string
  /** How many requests each target was given, by its place in `targets`. */
  readonly counts: readonly number[]
  close(): Promise<void>
}

/** Starts an HTTP proxy on a free port of 127.0.0.1 in front of several ports there. `Host` passes unchanged. */
export async function startRoundRobin({ targets }: { readonly targets: readonly number[] }): Promise<RoundRobin> {
  if (targets.length === 0) throw new RangeError('A round robin needs at least one target.')
  const counts = targets.map(() => 0)
  let turn = 0
  const server = createServer((incoming, outgoing) => {
    const index = turn++ % targets.length
    counts[index] = (counts[index] ?? 0) + 1
    forward(incoming, outgoing, targets[index] ?? 0)
  })
  // A stream may say nothing for long.
  server.requestTimeout = 0
  const address = await listenOnLoopback(server)
  const proxy: RoundRobin = {
    ...address,
    counts,
    close() {
      return new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
    },
    async [Symbol.asyncDispose]() {
      await proxy.close()
    },
  }
  return proxy
}

function forward(incoming: IncomingMessage, outgoing: ServerResponse, port: number): void {
  // One connection per request: a pooled one may belong to a server that was killed meanwhile.
  const upstream = request({
    host: '127.0.0.1',
    port,
    agent: false,
    method: incoming.method,
    path: incoming.url,
    headers: endToEnd(incoming.headers),
    setHost: false,
  })
  upstream.setNoDelay(true)
  upstream.once('response', (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, endToEnd(answer.headers))
    outgoing.flushHeaders()
    answer.pipe(outgoing)
    answer.once('close', () => {
      if (!answer.complete) outgoing.destroy()
    })
    answer.on('error', () => {})
  })
  upstream.on('error', (error) => {
    if (outgoing.headersSent || outgoing.destroyed) outgoing.destroy()
    else outgoing.writeHead(502, { 'content-type': 'text/plain' }).end(`127.0.0.1:${port}: ${error.message}\n`)
  })
  outgoing.once('close', () => upstream.destroy())
  incoming.on('error', () => {})
  incoming.pipe(upstream)
}

// Whether a connection stays open is a matter of each hop.
function endToEnd({ connection: _, 'keep-alive': __, ...headers }: IncomingHttpHeaders): IncomingHttpHeaders {
  return headers
}
