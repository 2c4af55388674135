import { setTimeout as after } from 'node:timers/promises'
import { EventSourceParserStream } from 'eventsource-parser/stream'

export interface RawReaderOptions {
  readonly url: URL
  readonly sessionId: string
  /** The id received last. */
  readonly from: string | undefined
  /** A message of the stream. */
  readonly onMessage: (message: { readonly method?: string; readonly params?: { readonly data?: unknown } }) => void
  readonly signal: AbortSignal
}

/** Reads the session's standalone stream from a place on until told to stop, and comes back for it however often it breaks. */
export async function readStandalone({ url, sessionId, from, onMessage, signal }: RawReaderOptions): Promise<void> {
  let place = from
  while (!signal.aborted) {
    try {
      const response = await fetch(url, { headers: headersOf(sessionId, place), signal })
      if (!response.ok || response.body === null) throw new Error(`GET: ${response.status}`)
      for await (const { id, data } of response.body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream())) {
        if (data !== '') onMessage(JSON.parse(data))
        place = id ?? place
      }
    } catch {
      if (signal.aborted) return
    }
    await after(100)
  }
}

function headersOf(sessionId: string, place: string | undefined): Record<string, string> {
  const known = { accept: 'text/event-stream', 'mcp-session-id': sessionId, 'mcp-protocol-version': '2025-11-25' }
  return place === undefined ? known : { ...known, 'last-event-id': place }
}
