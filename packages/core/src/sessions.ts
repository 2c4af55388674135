import type { EventPage, EventQuery, HealthWarning, NewEvent, Retention, SessionBackend, SignalListener } from './backend.ts'
import type { Codec } from './codec.ts'
import type { SessionError } from './errors.ts'
import type { Metrics } from './metrics.ts'
import type { StandardSchema } from './schema.ts'

/** The application's data in a session: an object of plain values, `Date`, `Map`, `Set`, `bigint` and `Uint8Array`. */
export type Metadata = Record<string, unknown>

/** An immutable snapshot of a session. Metadata is deep-frozen; the only way to change it is `update`. */
export interface Session<M = Metadata> {
  readonly id: string
  /** The principal that the session is bound to; null: unowned. */
  readonly owner: string | null
  readonly createdAt: number
  /** Instant of the last access that was written: accesses within `touchIntervalMs` after it are not. */
  readonly lastAccessedAt: number
  /** Idle window in milliseconds; `Infinity`: no idle limit. */
  readonly ttlMs: number
  /** Instant after which no access extends the session; `Infinity`: no absolute limit. */
  readonly mustEndAt: number
  /** min(lastAccessedAt + ttlMs, mustEndAt): the session is gone from that instant on. */
  readonly expiresAt: number
  /** Nonce of the write that produced this content: equal revs, equal content. Never reused; use it as a fencing token. */
  readonly rev: string
  readonly metadata: M
  /** State of a layer above the application; `undefined` where none was given. */
  readonly context: unknown
}

/** What every method that takes an id takes as well. */
export interface AccessOptions {
  /** Omitted: no check (server code only); `undefined` is a `TypeError`. `null`: only an unowned session. A wrong owner is "not found". */
  readonly owner?: string | null
  /** Rejects with the signal's reason when it aborts. A write that was sent already may still happen. */
  readonly signal?: AbortSignal | undefined
}

export interface CreateOptions {
  /** Idle window in milliseconds; default: the store's. 0 expires at once, `Infinity` never. */
  readonly ttlMs?: number | undefined
  /** Absolute lifetime in milliseconds; default: the store's. */
  readonly maxLifetimeMs?: number | undefined
  /** Default null: unowned. */
  readonly owner?: string | null
  /** Default: a new id of 256 random bits. One of your own must begin with the store's kind and `_`. */
  readonly id?: string | undefined
  readonly context?: unknown
  readonly signal?: AbortSignal | undefined
}

export interface ListOptions {
  readonly owner?: string
  /** Sessions per page, 1–10,000; default 100. */
  readonly limit?: number | undefined
  /** From the page before. */
  readonly cursor?: string | undefined
  readonly signal?: AbortSignal | undefined
}

/** A session whose stored bytes are damaged: it is named, and the listing goes on. */
export interface CorruptSession {
  readonly id: string
  readonly error: SessionError
}

export interface SessionPage<M = Metadata> {
  readonly sessions: readonly (Session<M> | CorruptSession)[]
  /** Absent: the end. A page may be empty and still have a cursor. */
  readonly cursor?: string
}

export interface Health {
  readonly warnings: readonly HealthWarning[]
  /** Of one health call to the backend. */
  readonly roundTripMs: number
  /** The engine's clock minus this process's; 0 where the engine has no clock of its own. */
  readonly clockOffsetMs: number
}

/** The backend's event log under the store's policy: deadlines, typed errors, integrity, and lost replies sent again. */
export interface SessionEvents {
  /** The event's sequence; `undefined`: no live session has that id. A repeated `key` gives the first one's sequence. */
  append(id: string, event: NewEvent, retention: Retention, options?: AccessSignal): Promise<number | undefined>
  /** Events after a sequence, in order; `undefined`: no live session has that id. */
  read(id: string, query: EventQuery, options?: AccessSignal): Promise<EventPage | undefined>
}

/** The backend's signals under the store's policy. Hints only: they may be lost, so poll as well. */
export interface SessionSignals {
  publish(channel: string, message: string): Promise<void>
  subscribe(channel: string, listener: SignalListener): Promise<() => Promise<void>>
}

export interface AccessSignal {
  readonly signal?: AbortSignal | undefined
}

export interface SessionsOptions<M = Metadata> {
  readonly backend: SessionBackend
  /** What the ids of this store name, as their first characters. Default `s`: sessions. `[a-z][a-z0-9]{0,15}`, or that after a `!`. */
  readonly kind?: string | undefined
  /** Idle window of new sessions in milliseconds. Default `Infinity`. */
  readonly ttlMs?: number | undefined
  /** Absolute lifetime of new sessions in milliseconds. Default `Infinity`. */
  readonly maxLifetimeMs?: number | undefined
  /** A read writes its access at most that often; `Infinity`: reads do not extend sessions. Default max(1, min(the session's ttlMs / 20, 60,000)). */
  readonly touchIntervalMs?: number | undefined
  /** Between two sweeps in the background, in milliseconds, jittered. Default 60,000; 0: none. */
  readonly cleanupIntervalMs?: number | undefined
  /** Every call settles within this plus 100 ms while the event loop runs. Default 5,000. */
  readonly callTimeoutMs?: number | undefined
  /** Calls to the backend at most, and as many changes that wait for an earlier one of their session; beyond that `OVERLOADED`. Default 1,024. */
  readonly maxInFlight?: number | undefined
  /** Of a session's encoded metadata and context. Default 1 MiB, at most 2 MiB − 1 KiB. */
  readonly maxBytes?: number | undefined
  /** Of decoded snapshots kept in memory. Default 16 MiB; 0: none. */
  readonly cacheBytes?: number | undefined
  /** Any Standard Schema, synchronous and idempotent: it runs on write and on read, and types `metadata`. */
  readonly schema?: StandardSchema<M> | undefined
  /** Replaces the built-in text format, for compression or encryption. */
  readonly codec?: Codec | undefined
  /** The clock: epoch milliseconds. Default `Date.now`. */
  readonly now?: (() => number) | undefined
  /** Failures in the background: sweeps, touches after a read, clock jumps. Default `process.emitWarning`. */
  readonly onError?: ((error: unknown) => void) | undefined
}

/** A store of sessions of one kind. */
export interface Sessions<M = Metadata> extends AsyncDisposable {
  /** A new session. `CONFLICT` when a live session has the id given; metadata defaults to `{}`. */
  create(metadata?: M, options?: CreateOptions): Promise<Session<M>>
  /** The session, or `undefined` when none is live under that id, its owner differs, or it is of another kind. */
  retrieve(id: string, options?: AccessOptions): Promise<Session<M> | undefined>
  /**
   * Replaces metadata by what `fn` makes of it; atomic across processes. `fn` is synchronous, gets the frozen metadata and
   * may run again: after a lost race, and where what this process saw last, on which it runs first, is outdated. What it
   * throws is rethrown as it is and nothing is written. `undefined`: not found.
   */
  update(id: string, fn: (metadata: M) => M, options?: AccessOptions): Promise<Session<M> | undefined>
  /** As `update`, for `context`. */
  updateContext(id: string, fn: (context: unknown) => unknown, options?: AccessOptions): Promise<Session<M> | undefined>
  /** Whether a live session was there. Final: only `create` with the same id brings it back. */
  delete(id: string, options?: AccessOptions): Promise<boolean>
  /** Retrieves and deletes; of many callers exactly one gets the session. */
  consume(id: string, options?: AccessOptions): Promise<Session<M> | undefined>
  /** Gives the session another idle window, counted from now, within its absolute lifetime. Whether it was there. */
  setTtl(id: string, ttlMs: number, options?: AccessOptions): Promise<boolean>
  /** Counts as an access, at once. Whether the session was there; never revives one. */
  touch(id: string, options?: AccessOptions): Promise<boolean>
  /** Moves the session to a new id; the old one is dead at once on every node. Once begun it is not aborted. `undefined`: not found. */
  rotate(id: string, options?: AccessOptions & { readonly newOwner?: string | null }): Promise<Session<M> | undefined>
  /** One page of live sessions of this kind. */
  list(options?: ListOptions): Promise<SessionPage<M>>
  /** All live sessions of this kind, page by page. */
  iterate(options?: Omit<ListOptions, 'cursor'>): AsyncIterableIterator<Session<M> | CorruptSession>
  /** How many live sessions of this kind there are (of that owner). Reads all headers. */
  count(options?: { readonly owner?: string; readonly signal?: AbortSignal | undefined }): Promise<number>
  /** Deletes expired records of every kind in the backend, in slices, until none is left. How many. */
  cleanupExpired(options?: AccessSignal): Promise<number>
  /** Deletes all sessions of this kind and owner; how many. */
  deleteByOwner(owner: string, options?: AccessSignal): Promise<number>
  /** Moves a detached session into the store, under a new rev. `CONFLICT` when a live session has its id. */
  restore(session: Session<M>, options?: AccessSignal): Promise<Session<M>>
  /** Absent where the backend has no event log. */
  readonly events: SessionEvents | undefined
  /** Absent where the backend has no signals. */
  readonly signals: SessionSignals | undefined
  getBackend(): SessionBackend
  metrics(): Metrics
  health(options?: AccessSignal): Promise<Health>
  /** Waits for calls in flight until their deadlines, then closes the backend. Idempotent. */
  close(): Promise<void>
}
