import type { Exchange } from './exchange.ts'
import { type ParsedBody, parseBody } from './json-rpc.ts'

/** The messages of a POST; `'too-large'` where the body has more than `maxBytes`, parsed in front or not. */
export async function readBody(exchange: Exchange, maxBytes: number): Promise<ParsedBody | 'too-large'> {
  const announced = Number(exchange.headers.get('content-length') ?? Number.NaN)
  if (announced > maxBytes) return 'too-large'
  if (exchange.parsedBody !== undefined) {
    const value = exchange.parsedBody
    return exceeds(value, maxBytes) ? 'too-large' : parseBody({ value })
  }
  let bytes: Uint8Array | 'too-large'
  try {
    bytes = await exchange.readBytes(maxBytes)
  } catch {
    return { ok: false, code: -32700, problem: 'Parse error: the body ended early, or was read before' }
  }
  if (bytes === 'too-large') return bytes
  const text = asText(bytes)
  return text === undefined ? { ok: false, code: -32700, problem: 'Parse error: the body is not UTF-8' } : parseBody({ text })
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
