import { once } from 'node:events'
import { type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http'

/** A request as its bytes are to be: what `fetch` does not let through, such as a `Host` of one's own or a header twice. */
export interface PlainRequest {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  /** Bytes and text go with their length, parts in chunks without one. */
  readonly body?: string | Uint8Array | readonly (string | Uint8Array)[]
}

export interface PlainAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** Of an SSE stream: what came first. */
  readonly text: string
}

/** Sends a request on a connection of its own. An SSE stream is left after its first bytes, or its head where `onlyHead` is given. */
export async function sendPlain(url: URL, { method = 'POST', headers = {}, body = '' }: PlainRequest): Promise<PlainAnswer> {
  const parts = typeof body === 'string' || body instanceof Uint8Array ? undefined : body
  const length = parts === undefined && method !== 'GET' ? { 'content-length': String(Buffer.byteLength(asBytes(body))) } : {}
  // Lines as they are to be: in an object a Host cannot stand twice.
  const lines = Object.entries({ host: url.host, ...length, ...headers }).flatMap(([name, value]) =>
    (typeof value === 'string' ? [value] : value).flatMap((line) => [name, line]),
  )
  const sent = request(url, { method, agent: false, headers: lines })
  if (parts === undefined) sent.end(asBytes(body))
  else {
    for (const part of parts) sent.write(part)
    sent.end()
  }
  const [answer]: IncomingMessage[] = await once(sent, 'response')
  if (answer === undefined) throw new Error('no answer')
  const isStream = answer.headers['content-type'] === 'text/event-stream'
  const text = isStream ? '' : await textOf(answer)
  if (isStream) answer.destroy()
  return { status: answer.statusCode ?? 0, headers: answer.headers, text }
}

function asBytes(body: PlainRequest['body']): Uint8Array {
  return typeof body === 'string' ? Buffer.from(body) : body instanceof Uint8Array ? body : new Uint8Array()
}

async function textOf(answer: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of answer.setEncoding('utf8')) text += String(chunk)
  return text
}
