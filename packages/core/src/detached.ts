import { checkDurationMs, checkString, checkWholeNumber } from './arguments.ts'
import { lifetimeFrom } from './expiry.ts'
import { frozenCopy } from './frozen-copy.ts'
import { checkKind, idMint } from './ids.ts'
import { checkMetadata } from './metadata.ts'
import { checkOwner } from './owner.ts'
import type { Metadata, Session } from './sessions.ts'

export interface NewSessionOptions {
  /** Default `s`. */
  readonly kind?: string | undefined
  /** Default `Infinity`. */
  readonly ttlMs?: number | undefined
  /** Default `Infinity`. */
  readonly maxLifetimeMs?: number | undefined
  readonly owner?: string | null | undefined
  /** Epoch milliseconds; default `Date.now()`. */
  readonly now?: number | undefined
}

/** More than any store keeps. */
const mostBytes = 2 * 1_048_576

/** A session that is in no store, for `sessions.restore`. Metadata is copied and deep-frozen. */
export function newSession<M extends object = Metadata>(metadata?: M, options: NewSessionOptions = {}): Session<M> {
  const now = options.now === undefined ? Date.now() : checkWholeNumber(options.now, 'now', 0)
  const ttlMs = checkDurationMs(options.ttlMs ?? Number.POSITIVE_INFINITY, 'ttlMs')
  const maxLifetimeMs = checkDurationMs(options.maxLifetimeMs ?? Number.POSITIVE_INFINITY, 'maxLifetimeMs')
  return Object.freeze({
    id: idMint(checkKind(options.kind ?? 's'))(),
    owner: checkOwner(options.owner ?? null),
    rev: 'detached',
    metadata: copyOf(metadata === undefined ? {} : metadata) as M,
    context: undefined,
    ...lifetimeFrom(now, ttlMs, maxLifetimeMs),
  })
}

/** The same session with one metadata key set; the given one stays as it is. */
export function setMetadata<M extends object, K extends keyof M & string>(session: Session<M>, key: K, value: M[K]): Session<M> {
  checkString(key, 'key')
  return Object.freeze({ ...session, metadata: copyOf({ ...session.metadata, [key]: value }) as M })
}

/** The value of one metadata key; `undefined` where there is none. */
export function getMetadata<M extends object, K extends keyof M & string>(session: Session<M>, key: K): M[K] | undefined {
  return Object.hasOwn(session.metadata, key) ? session.metadata[key] : undefined
}

export function getSessionId(session: Session<unknown>): string {
  return session.id
}

/** Epoch milliseconds. */
export function getCreatedAt(session: Session<unknown>): number {
  return session.createdAt
}

function copyOf(metadata: object): unknown {
  return frozenCopy(checkMetadata(metadata), 'metadata', mostBytes).value
}
