/**
 * THE CONTRACT between a store (`openSessions`, all policy) and a backend (one atomic step per method).
 *
 * Words
 * - session: what a client names by `Mcp-Session-Id`, or a tool by a handle: an id, an owner, a lifetime, metadata.
 * - store: the object that an application uses; it holds all policy: clock, ids, codec, retries, deadlines, metrics.
 * - backend / engine / client: an implementation of {@link SessionBackend} / the medium under it / the driver object.
 * - owned / borrowed client: opened by the backend and closed by it / given by the application and left alone.
 * - record: a session as a backend sees it.
 * - rev: nonce of the write that produced a record; chosen by the store, never reused, compared for equality only.
 * - kind: what an id names, as its first characters: `s_…` a session; kinds that begin with `!` are internal.
 * - owner: the principal that a session is bound to, or null.
 * - live / expired: a record is expired iff `expiresAt <= call.now`, otherwise live. A predicate, not an event.
 * - event / stream / sequence: an outgoing message / the SSE stream it belongs to / its number within the session.
 * - signal: a hint to other nodes; may be lost, carries no state.
 * - sweep: one pass of deleting expired records.
 *
 * Durations end in `Ms`, instants in `At` (integer epoch milliseconds), sizes in `Bytes`. "Never" is `Infinity`, on
 * both sides of the contract. Absence and lost races are values; a thrown error is a failure.
 *
 * Every clause marked `@law` has an id that the conformance kit cites. They are normative.
 *
 * Expiry
 * @law expiry/expired-is-absent `get`, `replace`, `touch`, `delete` and `list` treat a record with `expiresAt <= call.now`
 *   as not there. A record is still readable at `expiresAt - 1`.
 * @law expiry/create-replaces-expired `create` takes the place of an expired record, whose events go with it.
 * @law expiry/written-expired A record that is already expired when it is written is accepted and never readable.
 *
 * Records
 * @law create/inserts-if-absent `create` inserts if no live record has the id, and otherwise changes nothing. Of N
 *   concurrent creators exactly one gets `true`.
 * @law replace/compare-and-set `replace` writes only where the live record's rev equals `expectedRev`. Of N concurrent
 *   replacers of one rev exactly one wins.
 * @law replace/never-inserts `replace` of an id without a live record writes nothing and gives `current: undefined`.
 * @law replace/loser-gets-current A loser gets the record that is live at the step that judged it, never one with
 *   `expectedRev`, so that it need not read again.
 * @law replace/as-given `replace` stores the record as it is given, instants that lie before the stored ones included.
 * @law touch/forward-only `touch` moves `lastAccessedAt` and `expiresAt` forward, each on its own, never back, and answers
 *   `'touched'` also when the record was later already.
 * @law touch/only-its-rev `touch` acts only on a live record whose rev is `touch.rev`: `'moved'` for another rev,
 *   `'missing'` for no live record; it never revives.
 * @law touch/changes-nothing-else `touch` changes neither rev nor data nor any other field.
 * @law delete/is-final Once `delete` has resolved, only `create` brings the id back: a late replace, touch or append cannot.
 * @law delete/removes-events `delete` removes the session's events in the same atomic step.
 * @law delete/says-what-was-there `delete` is `true` iff a live record (with `expectedRev`, if given) was there; with
 *   another rev it changes nothing.
 * @law record/exact What was stored comes back to the character: all of 0x21–0x7E in ids (`:*?[]{}'"\` and ids that differ
 *   in case only are different ids), every well-formed string without NUL in owner and data, null owners as null, instants
 *   as safe integers or `Infinity`.
 * @law record/detached A record handed in or out is the caller's: changing it changes nothing that is stored.
 * @law record/known What `get` is told to be `known` changes nothing in its answer: a record that the id had once, as a backend gave
 *   it. Where the engine still has that rev, all but both instants may be taken from `known`, and need not come from the engine
 *   again; where these are the same, too, `known` itself may be the answer. It is never changed.
 *
 * Listing
 * @law list/complete A record that lives throughout the listing appears in it at least once, whatever is created or
 *   deleted meanwhile.
 * @law list/filters Only live records with the given owner and with ids that begin with `prefix` are listed.
 * @law list/pages A page ends at `limit` records or 4 MiB of UTF-8 data; following `cursor` until it is absent reads all.
 * @law list/headers `data: false` gives records whose `data` is `''`; everything else is complete.
 * @law list/cursor The cursor is opaque, carries no secrets, works in another process on the same store (law
 *   `list/complete` then speaks of one listing), and is refused with a `TypeError` when it is not one of this backend's.
 *   Where the engine's own cursor does not survive the engine's restart, that part of the listing starts over.
 * @law list/owner-cost With `owner` the cost is O(that owner's sessions). Such an index may live in another slot of the
 *   engine: it is written before the record, may name dead records and never misses a live one.
 *
 * Sweeping
 * @law sweep/only-expired `deleteExpired` deletes only records with `expiresAt <= min(call.now, the engine's clock)`,
 *   re-checked in the deleting step, with their events: one node with a wrong clock must not empty a shared store.
 * @law sweep/bounded It deletes at most `limit` records and answers how many; 0 means that nothing could be deleted now.
 * @law sweep/native-ttl-is-garbage-collection A time-to-live of the engine is `expiresAt − now + 1 h`: the record's own
 *   deadline decides.
 *
 * Durability and atomicity
 * @law durability/acknowledged A write is as durable as `info.durability` says from the moment its promise resolves.
 *   (It speaks of one engine node; replication is a row of its own in a backend's README.)
 * @law durability/no-early-reads No call shows a write that is not yet that durable.
 * @law atomic/one-step One method on one id is one atomic step in the engine: one statement (a call of a server-side
 *   function counts), script, transaction or log frame. There is no read-then-write in JavaScript, except under a lock that
 *   excludes every other writer. `list`, `deleteExpired` and the owner index may take several steps; each deletion, with its
 *   re-check and its events, is one.
 * @law atomic/neighbours Calls that travel together are judged one by one: a bad call fails alone.
 *
 * Lifecycle and failures
 * @law lifecycle/counted `open` and `close` are counted: several stores may share one backend object, and the last close
 *   acts. It waits for calls in flight until their deadlines. A backend that is not open rejects every call.
 * @law lifecycle/ownership The last close destroys what the backend opened and leaves what it borrowed as it was: open,
 *   and without listeners or timers of the backend.
 * @law lifecycle/reopen A closed backend opens again; where the engine is durable, everything is still there.
 * @law failure/raw Failures are thrown as the driver threw them. Only `LOCKED`, `CORRUPT`, `SCHEMA` and `LIMIT` are thrown as
 *   `SessionError` by the backend itself; for calls that were not sent core's own pieces (the batcher) and backends without
 *   queues add `TIMEOUT`, `OVERLOADED` and `CLOSED`. `open` may throw any code, with the driver's error as `cause`.
 * @law failure/classified `classify` is pure and names code, retryable and outcome of the driver's errors; `undefined` means
 *   `INTERNAL`, and an unknown outcome for writes.
 * @law deadline/never-sent-late A call that is not sent by `deadlineAt` is never sent and rejects with outcome `none`.
 * @law deadline/queues-bounded Queues are bounded. A call that was sent keeps its place until the driver settles it; a
 *   connection that is stuck past its deadline is dropped by the backend.
 *
 * Events (optional facet)
 * @law events/sequence Sequences grow strictly within a session and never repeat while it lives, not even after trimming.
 * @law events/no-late-arrivals Once a read has shown sequence n, nothing below n appears later.
 * @law events/idempotent A repeated `key` stores nothing and returns the sequence of the first, within retention.
 * @law events/needs-live-session `append` to a session that is not live returns `undefined` and stores nothing, and excludes
 *   a concurrent delete: no event outlives its session. `read` of such a session returns `undefined`.
 * @law events/read `read` gives the events of the streams asked for (all, if none are named) with `sequence > after`, in order,
 *   at most `limit` and 4 MiB, and skips those older than `maxAgeMs`.
 * @law events/retention `append` trims the oldest events of the session until the bounds of `retention` hold. The newest event
 *   stays. Streams that begin with `!` are exempt and not counted: only `maxInternalAgeMs` bounds them, and nothing else.
 * @law events/trimmed `trimmed` is true iff an event after `after` of the streams asked for is gone or too old, or `after` is
 *   beyond `last`.
 * @law events/restore `restore` adds a page with sequences, keys, instants and `last` kept; events that are there already
 *   stay as they are. `false`: the session is not live, and nothing was stored.
 *
 * Signals (optional facet)
 * @law signals/delivered A published message reaches each listener of its channel at most once, the publisher's own node
 *   included. It is a hint and may be lost: whoever waits for something also polls every 1–2 s.
 * @law signals/listening `subscribe` resolves once it listens; the function it gives stops it and leaves nothing behind.
 * @law signals/look-at-everything After a gap (a reconnect, an overrun) listeners are called with `undefined`.
 * @law signals/harmless A listener that throws harms nobody: not the publisher, not other listeners.
 * @law signals/bounded Channels of up to 255 characters and messages of up to 1 KiB work unchanged, whatever the engine's
 *   own limits are.
 */
import type { SessionErrorCode } from './errors.ts'
import type { EventLog } from './event-log.ts'
import type { SignalBus } from './signal-bus.ts'

/** What every call carries. A backend reads no clock of its own for expiry and owns no timer for it. */
export interface Call {
  /** Epoch milliseconds: the instant that decides what is expired. */
  readonly now: number
  /** On the scale of `performance.now()`. A call that is not sent by then is never sent. */
  readonly deadlineAt: number
  /** Only where the caller gave one. An aborted call that was not sent yet rejects with the signal's reason. */
  readonly signal?: AbortSignal
}

/** A session as a backend sees it. */
export interface SessionRecord {
  /** Visible ASCII 0x21–0x7E, 1–255 characters. */
  readonly id: string
  /** Nonce of the write that made this record: 1–64 characters of visible ASCII, chosen by the store, never reused. */
  readonly rev: string
  /** The rev that this record replaced; null after `create`. */
  readonly prevRev: string | null
  /** At most 1,024 bytes of well-formed UTF-8 without NUL; null: unowned. */
  readonly owner: string | null
  readonly createdAt: number
  readonly lastAccessedAt: number
  /** Idle window in milliseconds; `Infinity`: no idle limit. */
  readonly ttlMs: number
  /** Instant after which no touch can extend the session; `Infinity`: no absolute limit. */
  readonly mustEndAt: number
  /** min(lastAccessedAt + ttlMs, mustEndAt); `Infinity`: never. */
  readonly expiresAt: number
  /** Encoded metadata: at most 2 MiB of well-formed UTF-8 without NUL; opaque to the backend. */
  readonly data: string
}

/** A backend: one atomic step in the engine per method, no policy. */
export interface SessionBackend {
  /** Valid once open. */
  readonly info: BackendInfo
  /** Connects, migrates, takes locks. Counted, see `lifecycle/counted`. */
  open(): Promise<void>
  /** Inserts if no live record has the id. `false`: one has, and nothing changed. */
  create(record: SessionRecord, call: Call): Promise<boolean>
  /** The live record, or `undefined`. `known`: as the caller saw it last, see `record/known`. */
  get(id: string, call: Call, known?: SessionRecord): Promise<SessionRecord | undefined>
  /** Compare-and-set on `expectedRev`; never inserts. */
  replace(record: SessionRecord, expectedRev: string, call: Call): Promise<ReplaceResult>
  /** Moves `lastAccessedAt` and `expiresAt` forward, where the record is live and has that rev. */
  touch(touch: Touch, call: Call): Promise<TouchResult>
  /** Deletes the record (only with `expectedRev`, if given) and its events. `true`: a live one was there. */
  delete(id: string, expectedRev: string | undefined, call: Call): Promise<boolean>
  /** One page of live records, in the backend's own order. */
  list(query: ListQuery, call: Call): Promise<ListPage>
  /** Deletes at most `limit` expired records with their events, fewer where so many would hold up other calls; answers how many. */
  deleteExpired(limit: number, call: Call): Promise<number>
  /** What an operator should know. `engineNow` only where the engine has a clock of its own. */
  health(call: Call): Promise<BackendHealth>
  /** Counted, see `lifecycle/counted`. Idempotent once the last opener has closed. */
  close(): Promise<void>
  /** Names a driver's error, see `failure/classified`. Pure. */
  classify(error: unknown): ErrorClass | undefined
  /** Live records that the backend itself removed to make room, since it was made. Absent: it never evicts. */
  evicted?(): number
  /** Absent: no event log. */
  readonly events?: EventLog
  /** Absent: no signals; whoever waits polls. */
  readonly signals?: SignalBus
}

export type ReplaceResult = { readonly replaced: true } | { readonly replaced: false; readonly current: SessionRecord | undefined }

/** `'touched'`: it is at least that late now. `'moved'`: another rev is live. `'missing'`: no live record. */
export type TouchResult = 'touched' | 'moved' | 'missing'

export interface Touch {
  readonly id: string
  readonly rev: string
  readonly lastAccessedAt: number
  readonly expiresAt: number
}

export interface ListQuery {
  /** 1–10,000 records. */
  readonly limit: number
  /** From the page before; absent: the beginning. Belongs to the same owner and prefix. */
  readonly cursor?: string
  readonly owner?: string
  readonly prefix?: string
  /** `false`: headers only, `data` is `''`. Default `true`. */
  readonly data?: boolean
}

export interface ListPage {
  readonly records: readonly SessionRecord[]
  /** Absent: the end. A page may be empty and still have a cursor. */
  readonly cursor?: string
}

export interface BackendHealth {
  /** The engine's clock, epoch milliseconds, where it has one. */
  readonly engineNow?: number
  readonly warnings: readonly HealthWarning[]
}

export interface HealthWarning {
  readonly code: string
  readonly message: string
}

export interface ErrorClass {
  readonly code: SessionErrorCode
  readonly retryable: boolean
  /** What the failed call may have written. Reads always count as `none`. */
  readonly outcome: 'none' | 'unknown'
}

export interface BackendInfo {
  /** The engine's name: `memory`, `sqlite`, … */
  readonly name: string
  /** The version of this contract. Core refuses any that it does not know. */
  readonly contract: 1
  /** Who may have the same store open at once. */
  readonly sharing: 'process' | 'host' | 'cluster'
  /** What an acknowledged write survives: nothing / the calling process / kill -9 of the engine / power loss. */
  readonly durability: 'none' | 'caller' | 'engine' | 'host'
  /** `engine`: the engine removes expired records by itself as well. */
  readonly expiry: 'swept' | 'engine'
}

export { type Batcher, type BatcherOptions, type BatchOutcome, batcher } from './batcher.ts'
export { type ByteLru, byteLru } from './byte-lru.ts'
export { type Crowd, crowd, type Placed } from './crowd.ts'
export { decodeCursor, encodeCursor } from './cursor.ts'
export { SessionError, type SessionErrorCode, type SessionErrorOptions } from './errors.ts'
export type { EventLog, EventPage, EventQuery, NewEvent, Retention, StoredEvent } from './event-log.ts'
export { isExpired } from './expiry.ts'
export { knownAt } from './known-record.ts'
export { type Lifecycle, lifecycle } from './lifecycle.ts'
export { type ProcessSignals, processSignals } from './process-signals.ts'
export { type Running, running } from './running.ts'
export type { SignalBus, SignalListener } from './signal-bus.ts'
