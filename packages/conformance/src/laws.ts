/** The laws of the contract, word for word as `@mcp-session/core/backend` has them; `test/laws.test.ts` keeps both equal. */
export const laws = {
  'expiry/expired-is-absent':
    '`get`, `replace`, `touch`, `delete` and `list` treat a record with `expiresAt <= call.now` as not there. A record is still readable at `expiresAt - 1`.',
  'expiry/create-replaces-expired': '`create` takes the place of an expired record, whose events go with it.',
  'expiry/written-expired': 'A record that is already expired when it is written is accepted and never readable.',
  'create/inserts-if-absent':
    '`create` inserts if no live record has the id, and otherwise changes nothing. Of N concurrent creators exactly one gets `true`.',
  'replace/compare-and-set':
    "`replace` writes only where the live record's rev equals `expectedRev`. Of N concurrent replacers of one rev exactly one wins.",
  'replace/never-inserts': '`replace` of an id without a live record writes nothing and gives `current: undefined`.',
  'replace/loser-gets-current':
    'A loser gets the record that is live at the step that judged it, never one with `expectedRev`, so that it need not read again.',
  'replace/as-given': '`replace` stores the record as it is given, instants that lie before the stored ones included.',
  'touch/forward-only':
    "`touch` moves `lastAccessedAt` and `expiresAt` forward, each on its own, never back, and answers `'touched'` also when the record was later already.",
  'touch/only-its-rev':
    "`touch` acts only on a live record whose rev is `touch.rev`: `'moved'` for another rev, `'missing'` for no live record; it never revives.",
  'touch/changes-nothing-else': '`touch` changes neither rev nor data nor any other field.',
  'delete/is-final': 'Once `delete` has resolved, only `create` brings the id back: a late replace, touch or append cannot.',
  'delete/removes-events': "`delete` removes the session's events in the same atomic step.",
  'delete/says-what-was-there':
    '`delete` is `true` iff a live record (with `expectedRev`, if given) was there; with another rev it changes nothing.',
  'record/exact':
    'What was stored comes back to the character: all of 0x21–0x7E in ids (`:*?[]{}\'"\\` and ids that differ in case only are different ids), every well-formed string without NUL in owner and data, null owners as null, instants as safe integers or `Infinity`.',
  'record/detached': "A record handed in or out is the caller's: changing it changes nothing that is stored.",
  'record/known':
    'What `get` is told to be `known` changes nothing in its answer: a record that the id had once, as a backend gave it. Where the engine still has that rev, all but both instants may be taken from `known`, and need not come from the engine again; where these are the same, too, `known` itself may be the answer. It is never changed.',
  'list/complete': 'A record that lives throughout the listing appears in it at least once, whatever is created or deleted meanwhile.',
  'list/filters': 'Only live records with the given owner and with ids that begin with `prefix` are listed.',
  'list/pages': 'A page ends at `limit` records or 4 MiB of UTF-8 data; following `cursor` until it is absent reads all.',
  'list/headers': "`data: false` gives records whose `data` is `''`; everything else is complete.",
  'list/cursor':
    "The cursor is opaque, carries no secrets, works in another process on the same store (law `list/complete` then speaks of one listing), and is refused with a `TypeError` when it is not one of this backend's. Where the engine's own cursor does not survive the engine's restart, that part of the listing starts over.",
  'list/owner-cost':
    "With `owner` the cost is O(that owner's sessions). Such an index may live in another slot of the engine: it is written before the record, may name dead records and never misses a live one.",
  'sweep/only-expired':
    "`deleteExpired` deletes only records with `expiresAt <= min(call.now, the engine's clock)`, re-checked in the deleting step, with their events: one node with a wrong clock must not empty a shared store.",
  'sweep/bounded': 'It deletes at most `limit` records and answers how many; 0 means that nothing could be deleted now.',
  'sweep/native-ttl-is-garbage-collection': "A time-to-live of the engine is `expiresAt − now + 1 h`: the record's own deadline decides.",
  'durability/acknowledged':
    "A write is as durable as `info.durability` says from the moment its promise resolves. (It speaks of one engine node; replication is a row of its own in a backend's README.)",
  'durability/no-early-reads': 'No call shows a write that is not yet that durable.',
  'atomic/one-step':
    'One method on one id is one atomic step in the engine: one statement (a call of a server-side function counts), script, transaction or log frame. There is no read-then-write in JavaScript, except under a lock that excludes every other writer. `list`, `deleteExpired` and the owner index may take several steps; each deletion, with its re-check and its events, is one.',
  'atomic/neighbours': 'Calls that travel together are judged one by one: a bad call fails alone.',
  'lifecycle/counted':
    '`open` and `close` are counted: several stores may share one backend object, and the last close acts. It waits for calls in flight until their deadlines. A backend that is not open rejects every call.',
  'lifecycle/ownership':
    'The last close destroys what the backend opened and leaves what it borrowed as it was: open, and without listeners or timers of the backend.',
  'lifecycle/reopen': 'A closed backend opens again; where the engine is durable, everything is still there.',
  'failure/raw':
    "Failures are thrown as the driver threw them. Only `LOCKED`, `CORRUPT`, `SCHEMA` and `LIMIT` are thrown as `SessionError` by the backend itself; for calls that were not sent core's own pieces (the batcher) and backends without queues add `TIMEOUT`, `OVERLOADED` and `CLOSED`. `open` may throw any code, with the driver's error as `cause`.",
  'failure/classified':
    "`classify` is pure and names code, retryable and outcome of the driver's errors; `undefined` means `INTERNAL`, and an unknown outcome for writes.",
  'deadline/never-sent-late': 'A call that is not sent by `deadlineAt` is never sent and rejects with outcome `none`.',
  'deadline/queues-bounded':
    'Queues are bounded. A call that was sent keeps its place until the driver settles it; a connection that is stuck past its deadline is dropped by the backend.',
  'events/sequence': 'Sequences grow strictly within a session and never repeat while it lives, not even after trimming.',
  'events/no-late-arrivals': 'Once a read has shown sequence n, nothing below n appears later.',
  'events/idempotent': 'A repeated `key` stores nothing and returns the sequence of the first, within retention.',
  'events/needs-live-session':
    '`append` to a session that is not live returns `undefined` and stores nothing, and excludes a concurrent delete: no event outlives its session. `read` of such a session returns `undefined`.',
  'events/read':
    '`read` gives the events of the streams asked for (all, if none are named) with `sequence > after`, in order, at most `limit` and 4 MiB, and skips those older than `maxAgeMs`.',
  'events/retention':
    '`append` trims the oldest events of the session until the bounds of `retention` hold. The newest event stays. Streams that begin with `!` are exempt and not counted: only `maxInternalAgeMs` bounds them, and nothing else.',
  'events/trimmed':
    '`trimmed` is true iff an event after `after` of the streams asked for is gone or too old, or `after` is beyond `last`.',
  'events/restore':
    '`restore` adds a page with sequences, keys, instants and `last` kept; events that are there already stay as they are. `false`: the session is not live, and nothing was stored.',
  'signals/delivered':
    "A published message reaches each listener of its channel at most once, the publisher's own node included. It is a hint and may be lost: whoever waits for something also polls every 1–2 s.",
  'signals/listening': '`subscribe` resolves once it listens; the function it gives stops it and leaves nothing behind.',
  'signals/look-at-everything': 'After a gap (a reconnect, an overrun) listeners are called with `undefined`.',
  'signals/harmless': 'A listener that throws harms nobody: not the publisher, not other listeners.',
  'signals/bounded': "Channels of up to 255 characters and messages of up to 1 KiB work unchanged, whatever the engine's own limits are.",
} as const

export type LawId = keyof typeof laws
