import { forgetEncoding, readChunks } from './body.ts'
import type { StreamBody } from './event-stream.ts'
import type { Exchange, Reply } from './exchange.ts'
import type { AuthInfo } from './principal.ts'

export interface FetchOptions {
  /** What the host's authentication found out. */
  readonly authInfo?: AuthInfo | undefined
  /** The body, where something in front has parsed it already. */
  readonly parsedBody?: unknown
}

export function fetchExchange(request: Request, { authInfo, parsedBody }: FetchOptions): Exchange {
  const headers = new Headers(request.headers)
  // Requests made by hand, and those of some runtimes, carry their host in the URL only.
  if (!headers.has('host')) headers.set('host', new URL(request.url).host)
  if (parsedBody !== undefined) forgetEncoding(headers)
  return {
    method: request.method,
    url: request.url,
    headers,
    authInfo,
    parsedBody,
    async readBytes(maxBytes) {
      // Not cancelled where reading stops early: some hosts would close the connection, and the client is to get its 413.
      return request.body === null ? new Uint8Array() : readChunks(request.body.values({ preventCancel: true }), maxBytes)
    },
    request: () => new Request(request.url, { method: request.method, headers: request.headers }),
  }
}

export function fetchResponse({ status, headers: { Connection: _, ...headers }, body }: Reply): Response {
  // The connection is the host's: closing it on a request that is still coming in would take the answer from the client.
  if (body === undefined || typeof body === 'string') return new Response(body ?? null, { status, headers })
  return new Response(readable(body), { status, headers })
}

function readable({ frames, cancel }: StreamBody): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  return new ReadableStream({
    async pull(controller) {
      const next = await frames.next()
      if (next.done === true) controller.close()
      else controller.enqueue(encoder.encode(next.value))
    },
    cancel,
  })
}
