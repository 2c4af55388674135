import type { Exchange } from './exchange.ts'
import { type ParsedBody, parseBody } from './json-rpc.ts'

/** The messages of a POST; `'too-large'` where the body has more than `maxBytes`, read in front or not. */
export async function readBody(exchange: Exchange, maxBytes: number): Promise<ParsedBody | 'too-large'> {
  const announced = Number(exchange.headers.get('content-length') ?? Number.NaN)
  if (announced > maxBytes) return 'too-large'
  const value = exchange.parsedBody
  if (value instanceof Uint8Array) return value.byteLength > maxBytes ? 'too-large' : parseBytes(value)
  // No message is a JSON string: it is the text that something in front has read and left as it was.
  if (typeof value === 'string') return Buffer.byteLength(value) > maxBytes ? 'too-large' : parseBody({ text: value })
  if (value !== undefined) return exceeds(value, maxBytes) ? 'too-large' : parseBody({ value })
  try {
    const bytes = await exchange.readBytes(maxBytes)
    return bytes === 'too-large' ? bytes : parseBytes(bytes)
  } catch {
    return { ok: false, code: -32700, problem: 'Parse error: the body ended early, or was read before' }
  }
}

/** Whether the body has a content coding: nothing is decoded here. */
export function isEncoded(headers: Headers): boolean {
  return !/^(identity)?$/i.test(headers.get('content-encoding') ?? '')
}

/** What the headers say of a body that was parsed in front, and so decoded: no coding, and another length. */
export function forgetEncoding(headers: Headers): void {
  if (!isEncoded(headers)) return
  headers.delete('content-encoding')
  headers.delete('content-length')
}

/** Collects chunks, and stops reading as soon as there are more bytes than allowed. */
export async function readChunks(chunks: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Uint8Array | 'too-large'> {
  const read: Uint8Array[] = []
  let size = 0
  for await (const chunk of chunks) {
    size += chunk.byteLength
    if (size > maxBytes) return 'too-large'
    read.push(chunk)
  }
  return Buffer.concat(read)
}

function parseBytes(bytes: Uint8Array): ParsedBody {
  const text = asText(bytes)
  return text === undefined ? { ok: false, code: -32700, problem: 'Parse error: the body is not UTF-8' } : parseBody({ text })
}

/** Without the byte order mark that some clients begin with (RFC 8259 section 8.1 lets a parser ignore it). */
function asText(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}

function exceeds(value: unknown, maxBytes: number): boolean {
  try {
    return Buffer.byteLength(JSON.stringify(value) ?? '') > maxBytes
  } catch {
    return true
  }
}
