import type { IncomingMessage, ServerResponse } from 'node:http'
import { Stream } from 'node:stream'
import { forgetEncoding, readChunks } from './body.ts'
import type { StreamBody } from './event-stream.ts'
import type { Exchange, Reply } from './exchange.ts'
import type { AuthInfo } from './principal.ts'

/** How long a request is listened to that was answered before its end. */
const lingerMs = 2_000

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
  const wasRead = req.readableDidRead || req.readableEnded
  const parsedBody = given ?? (wasRead ? req.body : undefined)
  if (parsedBody !== undefined) forgetEncoding(headers)
  let request: Request | undefined
  return {
    method,
    url,
    headers,
    authInfo: req.auth,
    parsedBody,
    async readBytes(maxBytes) {
      if (wasRead) throw new Error('the body was read before')
      // Not destroyed where reading stops early: the client is to get its 413.
      return readChunks(req.iterator({ destroyOnReturn: false }), maxBytes)
    },
    request() {
      request ??= new Request(url, { method, headers })
      return request
    },
  }
}

/** Sends a reply. Resolves when it is sent, or when the client has gone. */
export async function answerNode(res: ServerResponse, { status, headers, body }: Reply): Promise<void> {
  // Something in front has answered already, such as a time limit: a second head would be a rejection that nobody handles.
  if (res.headersSent || res.writableEnded) {
    if (typeof body === 'object') body.cancel()
    return
  }
  const allowed = { ...headers }
  // HTTP/2 has no such header, and Node warns of it.
  if (res.req.httpVersionMajor > 1) delete allowed['Connection']
  if (typeof body !== 'object') {
    if (status !== 204) allowed['Content-Length'] = String(Buffer.byteLength(body ?? ''))
    res.writeHead(status, allowed)
    await sendText(res, body ?? '')
    return
  }
  // Not flushed on its own: with the first frame it goes out in one piece, and no client has a stream without a place in it. One that
  // lost its server in between would wait for its own timeout (60 s in the SDKs).
  res.writeHead(status, allowed)
  await sendFrames(res, body)
}

/**
 * Closing a connection on which the request is still coming in would reset it, and the client would lose the answer that it has not
 * read yet (RFC 9112 section 9.6). So the whole answer goes out, and only then, or when the client does not stop, is there an end.
 */
async function sendText(res: ServerResponse, text: string): Promise<void> {
  const { req } = res
  if (req.complete || req.httpVersionMajor > 1) {
    res.end(text)
    return
  }
  if (text === '') res.flushHeaders()
  else res.write(text)
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, lingerMs)
    for (const event of ['end', 'close']) {
      req.once(event, () => {
        clearTimeout(timer)
        resolve()
      })
    }
    req.resume()
  })
  res.end()
}

async function sendFrames(res: ServerResponse, body: StreamBody): Promise<void> {
  let isGone = false
  const onGone = (): void => {
    isGone = true
    body.cancel()
  }
  res.once('close', onGone)
  if (isClosed(res)) onGone()
  try {
    for await (const frame of body.frames) {
      if (isGone) break
      if (!res.write(frame)) await drained(res)
    }
  } finally {
    res.off('close', onGone)
    body.cancel()
    if (!isGone) res.end()
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

/** The response of HTTP/2 says so on its stream only. */
function isClosed(res: ServerResponse): boolean {
  const stream: unknown = 'stream' in res ? res.stream : undefined
  return res.destroyed || (stream instanceof Stream && 'destroyed' in stream && stream.destroyed === true)
}

function headersOf(req: IncomingMessage): Headers {
  const headers = new Headers()
  for (const [name, value] of Object.entries(req.headers)) {
    if (value === undefined || name.startsWith(':')) continue
    headers.set(name, Array.isArray(value) ? value.join(', ') : value)
  }
  const authority = req.headers[':authority']
  if (typeof authority === 'string') headers.set('host', authority)
  // Of several lines Node keeps the first, and a proxy in front may have gone by another: together they are refused.
  for (const name of ['host', 'content-type']) {
    const lines = req.rawHeaders.filter((_, index, all) => index % 2 === 1 && all[index - 1]?.toLowerCase() === name)
    if (lines.length > 1) headers.set(name, lines.join(', '))
  }
  return headers
}

/** Absolute, and always of the host that was checked: a target such as `//other/mcp` or `http://other/mcp` does not choose one. */
function urlOf(req: IncomingMessage & { originalUrl?: string }, headers: Headers): string {
  const scheme = 'encrypted' in req.socket && req.socket.encrypted === true ? 'https' : 'http'
  const target = (req.originalUrl ?? req.url ?? '/').replace(/^https?:\/\/[^/?#]*/i, '')
  try {
    return new URL(`${scheme}://${headers.get('host') ?? 'localhost'}${target.startsWith('/') ? target : `/${target}`}`).href
  } catch {
    return `${scheme}://localhost/`
  }
}
