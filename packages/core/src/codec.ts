/** What a text belongs to: enough to bind an encryption to its place (as additional authenticated data). */
export interface CodecContext {
  readonly id: string
  readonly owner: string | null
  /** Which of the two values of a session. */
  readonly part: 'metadata' | 'context'
}

/**
 * Turns values into text and back, synchronously, above the cache. Compression and encryption are codecs. `decode` must
 * give what `encode` was given, exactly; texts are well-formed and hold no NUL.
 */
export interface Codec {
  encode(value: unknown, context: CodecContext): string
  decode(text: string, context: CodecContext): unknown
}
