/**
 * Laws of the store (`openSessions` of `@mcp-session/core`) that have to hold over every backend. They say what the doc
 * comments of `Sessions` promise, in words that a case can cite.
 */
export const storeLaws = {
  'store/update-atomic': '`update` is atomic: of N concurrent updates, in one process or several, each sees the outcome of the one before.',
  'store/update-guarded':
    'When `fn` throws, returns a promise or nothing that can be stored, nothing is written and the error reaches the caller as it is.',
  'store/consume-once': 'Of many concurrent `consume` calls exactly one gets the session; afterwards it is gone.',
  'store/rotate': '`rotate` moves a session to a new id: the old id is not found from then on, metadata, owner and lifetimes go along.',
  'store/owner': 'With `owner` a method acts only on a session of that owner; a wrong owner looks exactly like "not found".',
  'store/kinds': 'An id of another kind, or a text that cannot be an id, is "not found"; listings show only their own kind.',
  'store/codec': 'Every value that the codec accepts comes back equal; what it refuses is refused before anything is written.',
  'store/integrity': 'A record whose stored bytes were changed is `CORRUPT`, never another value; a listing names it and goes on.',
  'store/lost-replies': 'A write whose reply was lost is found out to have happened, is sent again, or is reported with outcome `unknown`.',
  'store/deadlines': 'Every call settles within its time, whatever the backend does.',
  'store/errors': "A driver's error reaches the caller as a `SessionError` with the code, `retryable` and outcome that `classify` names.",
  'store/lifetimes':
    'A session is readable one millisecond before its end and absent at its end; `touch`, `setTtl` and `retrieve` never revive.',
} as const

export type StoreLawId = keyof typeof storeLaws
