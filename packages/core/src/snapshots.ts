import type { SessionRecord } from './backend.ts'
import { byteLru } from './byte-lru.ts'
import type { Codec, CodecContext } from './codec.ts'
import { SessionError } from './errors.ts'
import { isExpired } from './expiry.ts'
import { frozenCopy, tooLarge } from './frozen-copy.ts'
import { frozenJson } from './frozen-json.ts'
import { isWellFormed } from './owner.ts'
import type { SchemaIssue, StandardSchema } from './schema.ts'
import { corrupt, hasConsistentExpiry, type SealedTexts, seal, sealedBytes, unseal } from './seal.ts'
import type { Session } from './sessions.ts'
import { encodeText, textCodec } from './text-codec.ts'

/** Everything of a record but its data. */
export type RecordHeader = Omit<SessionRecord, 'data'>

/** Where a value belongs; decides how a codec may bind it. */
export type Place = Pick<CodecContext, 'id' | 'owner'>

/** Turns metadata into records and records into snapshots: schema, exactness, codec, size, integrity, cache. */
export interface Snapshots<M> {
  /** The texts of new values; no text for an `undefined` context. `TypeError` for what cannot be kept, `TOO_LARGE` beyond `maxBytes`. */
  texts(metadata: unknown, context: unknown, place: Place): MadeTexts
  /** The texts of a record with one part replaced by a value; `undefined` when it is equal to what is there. Throws as `texts`. */
  changed(record: SessionRecord, part: CodecContext['part'], value: unknown): MadeTexts | undefined
  /** The texts of a record for another id or owner. */
  moved(record: SessionRecord, place: Place): SealedTexts
  /** A record with its data sealed. Nobody decodes what was just encoded: `session` of this very object takes the values. */
  record(header: RecordHeader, texts: MadeTexts): SessionRecord
  /** The texts of a record, verified. `CORRUPT` if they are not what was written. */
  verified(record: SessionRecord): SealedTexts
  /** The snapshot of a record, verified; decoded once and kept while it fits. */
  session(record: SessionRecord): Session<M>
  /** The record of the session that was decoded last, while it is kept. Others may have changed it since. */
  lastSeen(id: string): SessionRecord | undefined
  /** Drops what is kept of a session that is gone. */
  forget(id: string): void
  /** Drops what is kept of sessions that had expired by `now` when they were decoded; one that was touched since is decoded anew. */
  forgetExpired(now: number): void
}

export interface SnapshotsOptions<M> {
  readonly backendName: string
  readonly codec: Codec
  readonly schema: StandardSchema<M> | undefined
  readonly maxBytes: number
  readonly cacheBytes: number
}

interface Decoded {
  readonly value: unknown
  readonly mutable: boolean
}

interface Values {
  /** Decoded afresh for each caller where freezing cannot protect it. */
  readonly metadata: Decoded
  readonly context: Decoded
}

/** Texts of values that were just encoded; with the values where decoding the texts would give the same again. */
interface MadeTexts extends SealedTexts {
  readonly values?: Values | undefined
}

interface Encoded {
  readonly text: string
  readonly decoded: Decoded | undefined
}

interface Kept extends Values {
  readonly record: SessionRecord
  readonly texts: SealedTexts
}

const nothing: Decoded = { value: undefined, mutable: false }

export function snapshots<M>(options: SnapshotsOptions<M>): Snapshots<M> {
  const { backendName, codec, schema, maxBytes } = options
  const cache = byteLru<Kept>(options.cacheBytes)
  /** Of records that were made here and not read yet. */
  const written = new WeakMap<SessionRecord, Kept>()

  function texts(metadata: unknown, context: unknown, place: Place): MadeTexts {
    return fitting(encodeContext(context, place), encodeMetadata(accepted(metadata), place))
  }

  function fitting(context: Encoded, metadata: Encoded): MadeTexts {
    const known = context.decoded !== undefined && metadata.decoded !== undefined
    const values = known ? { context: context.decoded, metadata: metadata.decoded } : undefined
    const made = { context: context.text, metadata: metadata.text, values }
    if (sealedBytes(made) > maxBytes) throw tooLarge('metadata with its context', maxBytes)
    return made
  }

  function encodeMetadata(metadata: object, place: Place): Encoded {
    const encoded = encode(metadata, 'metadata', place)
    // What the schema makes of the stored value may be another one.
    return schema === undefined ? encoded : { text: encoded.text, decoded: undefined }
  }

  function accepted(metadata: unknown): object {
    return checkMetadata(schema === undefined ? metadata : validated(schema, metadata))
  }

  function encodeContext(context: unknown, place: Place): Encoded {
    return context === undefined ? { text: '', decoded: nothing } : encode(context, 'context', place)
  }

  function encode(value: unknown, part: CodecContext['part'], place: Place): Encoded {
    const copy = frozenCopy(value, part, maxBytes)
    if (codec === textCodec) return { text: encodeText(copy.value, copy.exotic), decoded: copy.exotic ? undefined : copy }
    // Just what `decode` will be given: a codec may bind all of it.
    const text = codec.encode(copy.value, { id: place.id, owner: place.owner, part })
    if (typeof text === 'string' && text !== '' && isWellFormed(text) && !text.includes('\0')) return { text, decoded: undefined }
    throw new TypeError('codec.encode must return well-formed text without NUL, at least one character')
  }

  function changed(record: SessionRecord, part: CodecContext['part'], value: unknown): MadeTexts | undefined {
    const before = keptFor(record)
    const { context, metadata } = before?.texts ?? unseal(record, backendName)
    if (part === 'context') {
      const next = encodeContext(value, record)
      return isSame(record, part, context, next, value) ? undefined : fitting(next, { text: metadata, decoded: before?.metadata })
    }
    const accepting = accepted(value)
    const next = encodeMetadata(accepting, record)
    return isSame(record, part, metadata, next, accepting) ? undefined : fitting({ text: context, decoded: before?.context }, next)
  }

  /** Beyond its text by the built-in one: an encrypting codec gives another text for an equal value. */
  function isSame(record: SessionRecord, part: CodecContext['part'], before: string, next: Encoded, value: unknown): boolean {
    if (next.text === before || codec === textCodec) return next.text === before
    const stored = session(record)[part]
    return stored !== undefined && value !== undefined && plainText(stored) === plainText(value)
  }

  function moved(record: SessionRecord, place: Place): SealedTexts {
    if (codec === textCodec) return verified(record)
    const { metadata, context } = session(record)
    return { metadata: encode(metadata, 'metadata', place).text, context: encodeContext(context, place).text }
  }

  function record(header: RecordHeader, sealed: MadeTexts): SessionRecord {
    const made = { ...header, data: seal(header, sealed) }
    if (sealed.values !== undefined) written.set(made, { record: made, texts: textsIn(made, sealed), ...sealed.values })
    return made
  }

  function verified(record: SessionRecord): SealedTexts {
    return keptFor(record)?.texts ?? unseal(record, backendName)
  }

  function session(record: SessionRecord): Session<M> {
    const kept = keptFor(record) ?? keep(record)
    const { id, owner, createdAt, lastAccessedAt, ttlMs, mustEndAt, expiresAt, rev } = record
    return Object.freeze({
      id,
      owner,
      createdAt,
      lastAccessedAt,
      ttlMs,
      mustEndAt,
      expiresAt,
      rev,
      metadata: valueFor(kept, 'metadata') as M,
      context: valueFor(kept, 'context'),
    })
  }

  /** A rev names one content for ever; the comparison is for what rots under an unchanged rev. */
  function keptFor(record: SessionRecord): Kept | undefined {
    const kept = cache.get(record.id)
    if (kept === undefined || !isSameContent(kept.record, record)) return undefined
    if (!hasConsistentExpiry(record)) throw corrupt(record.id, backendName)
    return kept
  }

  function keep(record: SessionRecord): Kept {
    const kept = written.get(record) ?? opened(record)
    // The backend may hold this very object for as long as the session lives.
    written.delete(record)
    cache.set(record.id, kept, 400 + 4 * record.data.length)
    return kept
  }

  function opened(record: SessionRecord): Kept {
    const texts = unseal(record, backendName)
    return {
      record,
      texts,
      metadata: decode(texts.metadata, 'metadata', record),
      context: texts.context === '' ? nothing : decode(texts.context, 'context', record),
    }
  }

  function valueFor(kept: Kept, part: CodecContext['part']): unknown {
    return kept[part].mutable ? decode(kept.texts[part], part, kept.record).value : kept[part].value
  }

  function decode(text: string, part: CodecContext['part'], record: SessionRecord): Decoded {
    let decoded: Decoded
    try {
      decoded = isPlainText(text) ? { value: frozenJson(text.slice(1)), mutable: false } : decodeByCodec(text, part, record)
    } catch (error) {
      throw corrupt(record.id, backendName, error)
    }
    return part === 'metadata' && schema !== undefined ? decodeBySchema(schema, decoded, record) : decoded
  }

  /** Of the built-in text: what JSON keeps exactly needs no walk that looks for more. */
  function isPlainText(text: string): boolean {
    return codec === textCodec && text.startsWith('j')
  }

  function decodeByCodec(text: string, part: CodecContext['part'], record: SessionRecord): Decoded {
    return frozenCopy(codec.decode(text, { id: record.id, owner: record.owner, part }), part, Number.POSITIVE_INFINITY)
  }

  function decodeBySchema(schema: StandardSchema<M>, decoded: Decoded, record: SessionRecord): Decoded {
    try {
      return frozenCopy(checkMetadata(validated(schema, decoded.value)), 'metadata', Number.POSITIVE_INFINITY)
    } catch (error) {
      const message = `The stored session …${record.id.slice(-4)} on ${backendName} does not match the schema of this store`
      throw new SessionError('MCP_SESSION_SCHEMA', `${message}: make the schema accept what older versions wrote`, { cause: error })
    }
  }

  function forgetExpired(now: number): void {
    cache.deleteWhere((kept) => isExpired(kept.record, now))
  }

  function lastSeen(id: string): SessionRecord | undefined {
    return cache.get(id)?.record
  }

  return { texts, changed, moved, record, verified, session, lastSeen, forget: cache.delete, forgetExpired }
}

/** Parts of the record's own text: one copy is enough. */
function textsIn({ data }: SessionRecord, { context, metadata }: SealedTexts): SealedTexts {
  const start = data.length - metadata.length
  return { context: data.slice(start - context.length, start), metadata: data.slice(start) }
}

function plainText(value: unknown): string {
  const copy = frozenCopy(value, 'metadata', Number.POSITIVE_INFINITY)
  return encodeText(copy.value, copy.exotic)
}

/** An object that can be metadata; what is in it, a walk tells. */
export function checkMetadata(value: unknown): object {
  if (typeof value === 'object' && value !== null && !Array.isArray(value) && isPlainObject(value)) return value
  throw new TypeError(`metadata must be a plain object, got ${Array.isArray(value) ? 'an array' : value === null ? 'null' : typeof value}`)
}

function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

function validated<M>(schema: StandardSchema<M>, value: unknown): M {
  const result = schema['~standard'].validate(value)
  if (result instanceof Promise) throw new TypeError('schema must be synchronous: its validate returned a promise')
  if (result.issues === undefined) return result.value
  throw new TypeError(`metadata does not match the schema: ${result.issues.slice(0, 5).map(issueText).join('; ')}`)
}

function issueText(issue: SchemaIssue): string {
  const path = (issue.path ?? []).map((step) => String(typeof step === 'object' ? step.key : step)).join('.')
  return path === '' ? issue.message : `${path}: ${issue.message}`
}

function isSameContent(a: SessionRecord, b: SessionRecord): boolean {
  return (
    a.rev === b.rev &&
    a.data === b.data &&
    a.prevRev === b.prevRev &&
    a.owner === b.owner &&
    a.createdAt === b.createdAt &&
    a.ttlMs === b.ttlMs &&
    a.mustEndAt === b.mustEndAt
  )
}
