import { readChunks } from './body.ts'
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
  return {
    method: request.method,
    url: request.url,
    headers,
    authInfo,
    parsedBody,
    async readBytes(maxBytes) {
      return request.body === null ? new Uint8Array() : readChunks(request.body, maxBytes)
    },
    request: () => new Request(request.url, { method: request.method, headers: request.headers }),
  }
}

export function fetchResponse({ status, headers, body }: Reply): Response {
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
