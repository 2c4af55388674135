import type { IncomingMessage, ServerResponse } from 'node:http'
import { readChunks } from './body.ts'
import type { Exchange, Reply } from './exchange.ts'
import type { AuthInfo } from './principal.ts'

/** A request of node:http, with what Express and its middleware may have put there. */
export function nodeExchange(
  req: IncomingMessage & { auth?: AuthInfo; body?: unknown; originalUrl?: string },
  parsedBodyOrNext: unknown,
): Exchange {
  const headers = headersOf(req)
  const method = req.method ?? 'GET'
  const url = urlOf(req, headers)
  // Express calls with `next`. A body is there for us only if something in front has read the stream: `{}` may mean "not mine".
  const given = typeof parsedBodyOrNext === 'function' ? undefined : parsedBodyOrNext
  const parsedBody = given ?? (req.readableDidRead || req.readableEnded ? req.body : undefined)
  let request: Request | undefined
  return {
    method,
    url,
    headers,
    authInfo: req.auth,
    parsedBody,
    // Not destroyed where reading stops early: the client is to get its 413.
    readBytes: (maxBytes) => readChunks(req.iterator({ destroyOnReturn: false }), maxBytes),
    request() {
      request ??= new Request(url, { method, headers })
      return request
    },
  }
}

/** Sends a reply. Resolves when it is sent, or when the client has gone. */
export async function answerNode(res: ServerResponse, { status, headers, body }: Reply): Promise<void> {
  res.writeHead(status, headers)
  if (body === undefined || typeof body === 'string') {
    res.end(body)
    return
  }
  res.flushHeaders()
  const onGone = (): void => body.cancel()
  res.once('close', onGone)
  if (res.destroyed) onGone()
  try {
    for await (const frame of body.frames) {
      if (res.destroyed) break
      if (!res.write(frame)) await drained(res)
    }
  } finally {
    res.off('close', onGone)
    body.cancel()
    if (!res.destroyed) res.end()
  }
}

/** Resolves when the client has taken what was written, or has gone. A slow reader waits often, so no listener stays behind. */
function drained(res: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      res.off('drain', done)
      res.off('close', done)
      resolve()
    }
    res.on('drain', done)
    res.on('close', done)
  })
}

function headersOf(req: IncomingMessage): Headers {
  const headers = new Headers()
  for (const [name, value] of Object.entries(req.headers)) {
    if (value === undefined || name.startsWith(':')) continue
    headers.set(name, Array.isArray(value) ? value.join(', ') : value)
  }
  const authority = req.headers[':authority']
  if (!headers.has('host') && typeof authority === 'string') headers.set('host', authority)
  return headers
}

function urlOf(req: IncomingMessage & { originalUrl?: string }, headers: Headers): string {
  const scheme = 'encrypted' in req.socket && req.socket.encrypted === true ? 'https' : 'http'
  const path = req.originalUrl ?? req.url ?? '/'
  try {
    return new URL(path, `${scheme}://${headers.get('host') ?? 'localhost'}`).href
  } catch {
    return `${scheme}://localhost/`
  }
}
