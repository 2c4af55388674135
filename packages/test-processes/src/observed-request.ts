import { createServer, type IncomingHttpHeaders } from 'node:http'
import { Duplex } from 'node:stream'

/** An HTTP request that crossed a relay, as its bytes say. It changes while more of it crosses. */
export interface ObservedRequest {
  /** Number of its TCP connection, from 0. */
  readonly connection: number
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  /** The body so far, without its transfer coding. */
  body(): string
  /** Whether the whole request has crossed. */
  complete(): boolean
  /** The bytes that came back since, status line first, as latin1; of pipelined requests the last one gets all. */
  reply(): string
}

export interface Observer {
  /** Takes the bytes of one direction in their order. */
  fromClient(chunk: Buffer): void
  fromServer(chunk: Buffer): void
  end(): void
}

/** Reads the requests off a connection with Node's own HTTP parser, so chunked and pipelined ones count as what they are. */
export function observeRequests(connection: number, onRequest: (request: ObservedRequest) => void, onChange: () => void): Observer {
  const replies: string[][] = []
  const parser = createServer((incoming, response) => {
    const body: Buffer[] = []
    const reply: string[] = []
    replies.push(reply)
    onRequest({
      connection,
      method: incoming.method ?? '',
      path: incoming.url ?? '',
      headers: incoming.headers,
      body: () => Buffer.concat(body).toString('utf8'),
      complete: () => incoming.complete,
      reply: () => reply.join(''),
    })
    incoming.on('data', (chunk: Buffer) => body.push(chunk))
    incoming.once('end', () => {
      response.end()
      onChange()
    })
    incoming.on('error', () => {})
  })
  // The parser answers nobody: what it writes is dropped.
  const tap = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() })
  tap.on('error', () => {})
  parser.on('clientError', () => {})
  parser.timeout = parser.requestTimeout = parser.headersTimeout = parser.keepAliveTimeout = 0
  parser.emit('connection', tap)
  return {
    fromClient(chunk) {
      if (!tap.destroyed && !tap.readableEnded) tap.push(chunk)
    },
    fromServer(chunk) {
      replies.at(-1)?.push(chunk.toString('latin1'))
      onChange()
    },
    end() {
      tap.destroy()
    },
  }
}
