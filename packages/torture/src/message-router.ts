import { createServer, type IncomingHttpHeaders, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { listenOnLoopback } from '@mcp-session/test-processes'

/** What a client sends: a request or notification, an answer to a question of the server, or a GET or DELETE. */
export type Carried = 'request' | 'answer' | 'other'

/** An HTTP proxy that chooses the node by what each request carries: no node is anybody's. */
export interface MessageRouter extends AsyncDisposable {
  readonly url: URL
}

/** `route` gives the place in `ports` that a request goes to. */
export async function startMessageRouter(ports: readonly number[], route: (carried: Carried) => number): Promise<MessageRouter> {
  const server = createServer((incoming, outgoing) => {
    text(incoming).then(
      (body) => forward(incoming, body, outgoing, ports[route(carriedBy(body))] ?? 0),
      () => outgoing.destroy(),
    )
  })
  // A stream may say nothing for long.
  server.requestTimeout = 0
  const { url } = await listenOnLoopback(server)
  return {
    url: new URL('/mcp', url),
    [Symbol.asyncDispose]() {
      return new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
    },
  }
}

function carriedBy(body: string): Carried {
  if (body === '') return 'other'
  const message: object = JSON.parse(body)
  return 'method' in message ? 'request' : 'answer'
}

function forward(incoming: IncomingMessage, body: string, outgoing: ServerResponse, port: number): void {
  const { method, url, headers } = incoming
  const upstream = request({ host: '127.0.0.1', port, agent: false, method, path: url, headers: endToEnd(headers), setHost: false })
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
  upstream.on('error', () => outgoing.destroy())
  outgoing.once('close', () => upstream.destroy())
  upstream.end(body)
}

// Whether a connection stays open is a matter of each hop.
function endToEnd({ connection: _, 'keep-alive': __, ...headers }: IncomingHttpHeaders): IncomingHttpHeaders {
  return headers
}
