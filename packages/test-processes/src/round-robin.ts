import { createServer, type IncomingHttpHeaders, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { listenOnLoopback } from './loopback.ts'
import { portRefuses } from './proof.ts'

/** A load balancer without stickiness: each request goes to the next target. */
export interface RoundRobin extends AsyncDisposable {
  readonly port: number
  readonly url: string
  /** How many requests each target was given, by its place in `targets`. */
  readonly counts: readonly number[]
  /** The requests in the order in which they came: their method, and the place of the target that was given them. */
  readonly given: readonly GivenRequest[]
  close(): Promise<void>
}

export interface GivenRequest {
  readonly method: string
  readonly target: number
}

export interface RoundRobinOptions {
  /** Ports of 127.0.0.1. */
  readonly targets: readonly number[]
  /** A target that refuses connections is passed over, as a load balancer does with a dead one. Default: it is answered for with 502. */
  readonly passOver?: boolean
}

/** Starts an HTTP proxy on a free port of 127.0.0.1 in front of several ports there. `Host` passes unchanged. */
export async function startRoundRobin({ targets, passOver = false }: RoundRobinOptions): Promise<RoundRobin> {
  if (targets.length === 0) throw new RangeError('A round robin needs at least one target.')
  const counts = targets.map(() => 0)
  const given: GivenRequest[] = []
  let turn = 0

  async function next(): Promise<number> {
    for (let passed = 0; ; passed++) {
      const index = turn++ % targets.length
      if (!passOver || passed === targets.length || !(await portRefuses(targets[index] ?? 0))) return index
    }
  }

  const server = createServer(async (incoming, outgoing) => {
    const index = await next()
    counts[index] = (counts[index] ?? 0) + 1
    given.push({ method: incoming.method ?? '', target: index })
    forward(incoming, outgoing, targets[index] ?? 0)
  })
  // A stream may say nothing for long.
  server.requestTimeout = 0
  const address = await listenOnLoopback(server)
  const proxy: RoundRobin = {
    ...address,
    counts,
    given,
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
