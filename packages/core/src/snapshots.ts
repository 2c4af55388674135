import { isPlainText } from './arguments.ts'
import type { SessionRecord } from './backend.ts'
import { byteLru } from './byte-lru.ts'
import type { Codec, CodecContext } from './codec.ts'
import { editedText } from './edited-text.ts'
import { SessionError } from './errors.ts'
import { isExpired } from './expiry.ts'
import { type FrozenCopy, frozenCopy, tooLarge } from './frozen-copy.ts'
import { frozenJson } from './frozen-json.ts'
import { checkMetadata } from './metadata.ts'
import { type StandardSchema, validated } from './schema.ts'
import { corrupt, hasConsistentExpiry, type SealedTexts, seal, sealedBytes, textsIn, unseal } from './seal.ts'
import type { Session } from './sessions.ts'
import { encodeText, plainText, textCodec } from './text-codec.ts'

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
  /** A record with its data sealed. It is kept at once, before it is written: a rev that never gets there is never found either. */
  record(header: RecordHeader, texts: MadeTexts): SessionRecord
  /** The texts of a record, verified. `CORRUPT` if they are not what was written. */
  verified(record: SessionRecord): SealedTexts
  /** The snapshot of a record, verified; decoded once and kept while it fits. */
  session(record: SessionRecord): Session<M>
  /** One part of that. */
  value(record: SessionRecord, part: CodecContext['part']): unknown
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

interface Values {
  /** Decoded afresh for each caller where freezing cannot protect it. */
  readonly metadata: FrozenCopy
  readonly context: FrozenCopy
}

/** Texts of values that were just encoded; with the values where decoding the texts would give the same again. */
interface MadeTexts extends SealedTexts {
  readonly values?: Values | undefined
}

interface Encoded {
  readonly text: string
  readonly decoded: FrozenCopy | undefined
}

interface Kept<M> extends Values {
  /** With the instants that were seen last. */
  record: SessionRecord
  /** Of that record, where everybody may have the same. */
  session: Session<M> | undefined
}

const nothing: FrozenCopy = { value: undefined, exotic: false, mutable: false }

export function snapshots<M>(options: SnapshotsOptions<M>): Snapshots<M> {
  const { backendName, codec, schema, maxBytes } = options
  const cache = byteLru<Kept<M>>(options.cacheBytes)

  function texts(metadata: unknown, context: unknown, place: Place): MadeTexts {
    return fitting(encode(context, 'context', place), encode(accepted(metadata), 'metadata', place))
  }

  function fitting(context: Encoded, metadata: Encoded): MadeTexts {
    const values = context.decoded && metadata.decoded && { context: context.decoded, metadata: metadata.decoded }
    const made = { context: context.text, metadata: metadata.text, values }
    // No UTF-16 unit is more than three bytes: most texts need not be measured.
    if (16 + 3 * (made.context.length + made.metadata.length) > maxBytes && sealedBytes(made) > maxBytes)
      throw tooLarge('metadata with its context', maxBytes)
    return made
  }

  function accepted(metadata: unknown): object {
    return checkMetadata(schema === undefined ? metadata : validated(schema, metadata))
  }

  /** `undefined` is a context that is not there. `before` is what stands there now, with its text. */
  function encode(value: unknown, part: CodecContext['part'], place: Place, before?: FrozenCopy, old = ''): Encoded {
    if (value === undefined) return { text: '', decoded: nothing }
    const copy = frozenCopy(value, part, maxBytes, before)
    if (codec === textCodec) {
      // What the schema makes of the stored value may be another one.
      const isStored = schema === undefined || part === 'context'
      const edited = isStored && !copy.exotic ? editedText(old, before?.value, copy.value) : undefined
      const text = edited ?? encodeText(copy.value, copy.exotic)
      return { text, decoded: isStored && text.startsWith('j') ? copy : undefined }
    }
    // Just what `decode` will be given: a codec may bind all of it.
    const text = codec.encode(copy.value, { id: place.id, owner: place.owner, part })
    if (typeof text === 'string' && text !== '' && isPlainText(text)) return { text, decoded: undefined }
    throw new TypeError('codec.encode must return well-formed text without NUL, at least one character')
  }

  function changed(record: SessionRecord, part: CodecContext['part'], value: unknown): MadeTexts | undefined {
    const before = keptFor(record) ?? keep(opened(record))
    const old = textsOf(before)
    const given = part === 'context' ? value : accepted(value)
    const next = encode(given, part, record, before[part], old[part])
    if (next.text === old[part] || (codec !== textCodec && isSame(valueFor(before, part), given))) return undefined
    const unchanged = (other: CodecContext['part']) => ({ text: old[other], decoded: before[other] })
    return part === 'context' ? fitting(next, unchanged('metadata')) : fitting(unchanged('context'), next)
  }

  function moved(record: SessionRecord, place: Place): SealedTexts {
    if (codec === textCodec) return verified(record)
    const { metadata, context } = session(record)
    return { metadata: encode(metadata, 'metadata', place).text, context: encode(context, 'context', place).text }
  }

  function record(header: RecordHeader, sealed: MadeTexts): SessionRecord {
    // The spread comes last: V8 11 gives every object that goes on after a spread a hidden class of its own, which all later reads pay for.
    const made = { data: seal(header, sealed), ...header }
    if (sealed.values !== undefined) keep({ record: made, session: undefined, ...sealed.values })
    return made
  }

  function verified(record: SessionRecord): SealedTexts {
    const kept = keptFor(record)
    return kept === undefined ? unseal(record, backendName) : textsOf(kept)
  }

  function session(record: SessionRecord): Session<M> {
    const kept = keptFor(record) ?? keep(opened(record))
    if (kept.session !== undefined) return kept.session
    const { id, owner, createdAt, lastAccessedAt, ttlMs, mustEndAt, expiresAt, rev } = record
    const made = Object.freeze({
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
    if (!kept.metadata.mutable && !kept.context.mutable) kept.session = made
    return made
  }

  function value(record: SessionRecord, part: CodecContext['part']): unknown {
    return valueFor(keptFor(record) ?? keep(opened(record)), part)
  }

  /** A rev names one content for ever; the comparison is for what rots under an unchanged rev. */
  function keptFor(record: SessionRecord): Kept<M> | undefined {
    const kept = cache.get(record.id)
    if (kept === undefined || kept.record === record) return kept
    if (!isSameContent(kept.record, record)) return undefined
    if (!hasConsistentExpiry(record)) throw corrupt(record.id, backendName)
    kept.record = record
    kept.session = undefined
    return kept
  }

  function keep(kept: Kept<M>): Kept<M> {
    const { id, data } = kept.record
    cache.set(id, kept, 400 + 4 * data.length)
    return kept
  }

  function opened(record: SessionRecord): Kept<M> {
    const texts = unseal(record, backendName)
    return {
      record,
      session: undefined,
      metadata: decode(texts.metadata, 'metadata', record),
      context: texts.context === '' ? nothing : decode(texts.context, 'context', record),
    }
  }

  function valueFor(kept: Kept<M>, part: CodecContext['part']): unknown {
    return kept[part].mutable ? decode(textsOf(kept)[part], part, kept.record).value : kept[part].value
  }

  function decode(text: string, part: CodecContext['part'], record: SessionRecord): FrozenCopy {
    let decoded: FrozenCopy
    try {
      // Of the built-in text: what JSON keeps exactly needs no walk that looks for more.
      decoded =
        codec === textCodec && text.startsWith('j')
          ? { value: frozenJson(text.slice(1)), exotic: false, mutable: false }
          : decodeByCodec(text, part, record)
    } catch (error) {
      throw corrupt(record.id, backendName, error)
    }
    return part === 'metadata' && schema !== undefined ? decodeBySchema(schema, decoded, record) : decoded
  }

  function decodeByCodec(text: string, part: CodecContext['part'], record: SessionRecord): FrozenCopy {
    return frozenCopy(codec.decode(text, { id: record.id, owner: record.owner, part }), part, Number.POSITIVE_INFINITY)
  }

  function decodeBySchema(schema: StandardSchema<M>, decoded: FrozenCopy, record: SessionRecord): FrozenCopy {
    try {
      return frozenCopy(checkMetadata(validated(schema, decoded.value)), 'metadata', Number.POSITIVE_INFINITY)
    } catch (error) {
      const message = `The stored session …${record.id.slice(-4)} on ${backendName} does not match the schema of this store`
      throw new SessionError('MCP_SESSION_SCHEMA', `${message}: make the schema accept what older versions wrote`, { cause: error })
    }
  }

  return {
    texts,
    changed,
    moved,
    record,
    verified,
    session,
    value,
    lastSeen: (id) => cache.get(id)?.record,
    forget: cache.delete,
    forgetExpired: (now) => cache.deleteWhere((kept) => isExpired(kept.record, now)),
  }
}

/** Parts of the record's own text. Not kept: what a record in the old generation refers to would grow old with it, and after it. */
function textsOf({ record }: { readonly record: SessionRecord }): SealedTexts {
  return textsIn(record.data) as SealedTexts
}

/** An encrypting codec gives another text for an equal value. */
function isSame(stored: unknown, given: unknown): boolean {
  return stored !== undefined && given !== undefined && textOfCopy(stored) === textOfCopy(given)
}

function textOfCopy(value: unknown): string {
  return plainText(frozenCopy(value, 'metadata', Number.POSITIVE_INFINITY).value)
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
