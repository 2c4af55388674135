import type { StreamBody } from './event-stream.ts'
import type { AuthInfo } from './principal.ts'

/** One HTTP request, whatever server it came through. */
export interface Exchange {
  readonly method: string
  /** Absolute. */
  readonly url: string
  readonly headers: Headers
  readonly authInfo: AuthInfo | undefined
  /** The body as something in front has parsed it; `undefined`: read it. */
  readonly parsedBody: unknown
  /** The body; `'too-large'` beyond that many bytes. */
  readBytes(maxBytes: number): Promise<Uint8Array | 'too-large'>
  /** The same request for those who want the standard object; its body is not readable. */
  request(): Request
}

/** What to answer. */
export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | StreamBody
}
