import { type ErrorClass, SessionError, type SessionErrorCode } from '@mcp-session/core/backend'

/** What went wrong between here and the server, where neither the server nor the driver has an error for it. */
export class RedisFault extends Error {
  override readonly name = 'RedisFault'
  /** `unsent`: nothing was sent. `no-reply`: sent, and nobody knows what became of it. `unreplicated`: too few replicas have it. */
  readonly reason: 'unsent' | 'no-reply' | 'unreplicated'

  constructor(reason: RedisFault['reason'], message: string, cause?: unknown) {
    super(message, { cause })
    this.reason = reason
  }
}

const unavailable = failing('UNAVAILABLE', true, 'none')
const unavailableUnknown = failing('UNAVAILABLE', true, 'unknown')

const faults: Readonly<Record<RedisFault['reason'], ErrorClass>> = {
  unsent: unavailable,
  'no-reply': failing('TIMEOUT', true, 'unknown'),
  unreplicated: unavailableUnknown,
}

/** Replies of the server, by their first word; first match decides. https://redis.io/docs/latest/develop/reference/protocol-spec */
const replies: readonly (readonly [RegExp, ErrorClass])[] = [
  [/^OOM\b/, failing('LIMIT', true, 'none')],
  [/^(LOADING|BUSY|MISCONF|NOREPLICAS|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|MOVED|ASK|NOTBUSY)\b/, unavailable],
  // A replica, or a primary that was demoted: the client is on its way to the new one.
  [/^READONLY\b/, unavailable],
  [/^(NOAUTH|WRONGPASS|NOPERM|NOPROTO)\b/, failing('UNAVAILABLE', false, 'none')],
  [/^ERR (max number of clients reached|invalid password|AUTH\b)/, failing('UNAVAILABLE', true, 'none')],
  // A replica was made of the server while a client waited, or a script was killed before it had written.
  [/^UNBLOCKED\b/, unavailableUnknown],
  [/^ERR Error running script .*Script killed by user|^ERR .*Script killed by user/, unavailable],
  [/^UNKILLABLE\b/, unavailable],
  [/^NOSCRIPT\b/, unavailable],
  [/^WRONGTYPE\b/, failing('CORRUPT', false, 'none')],
  [/^(CROSSSLOT|EXECABORT|NOTSUPPORTED)\b/, failing('INTERNAL', false, 'none')],
  [/^ERR\b/, failing('INTERNAL', false, 'none')],
]

/** What ioredis says itself; it gives these errors no codes. */
const messages: readonly (readonly [RegExp, ErrorClass])[] = [
  [/^(Stream isn't writeable|Cluster isn't ready) and enableOfflineQueue options is false$/, unavailable],
  [/^(None of startup nodes is available|Failed to refresh slots cache\.|All sentinels are unreachable)/, unavailable],
  [/^Connection is closed\.$/, unavailableUnknown],
  [/^Command aborted due to connection close$/, unavailableUnknown],
  [/^Reached the max retries per request limit/, unavailableUnknown],
  [/^Too many Cluster redirections\./, unavailableUnknown],
  [/^Cluster is (ended|disconnect)/, unavailableUnknown],
  [/^Socket timeout\. Expecting data/, unavailableUnknown],
  [/^Command timed out$/, failing('TIMEOUT', true, 'unknown')],
]

const notReached = /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ENOENT|EACCES)$/
const cutOff = /^(ECONNRESET|ECONNABORTED|EPIPE|ETIMEDOUT)$/

/** Names an error of Redis, of ioredis or of the connection; `undefined` for anything else. */
export function classify(error: unknown): ErrorClass | undefined {
  if (!(error instanceof Error)) return undefined
  if (isFault(error)) return faults[error.reason]
  if (isReplyError(error)) return replies.find(([pattern]) => pattern.test(error.message))?.[1]
  const known = messages.find(([pattern]) => pattern.test(error.message))?.[1]
  if (known !== undefined) return known
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  if (notReached.test(code) || (cutOff.test(code) && 'syscall' in error && error.syscall === 'connect')) return unavailable
  return cutOff.test(code) ? unavailableUnknown : undefined
}

/** Whether the server has refused the command without looking at it, and it goes to another one, or again. */
export function isRedirection(error: Error): boolean {
  return /^(MOVED|ASK|TRYAGAIN|CLUSTERDOWN)\b/.test(error.message)
}

export function isNoScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('NOSCRIPT')
}

/** What `open` throws: every known failure is typed there, and says what to do. Anything else goes on as it is. */
export function openFailure(error: unknown, where: string): unknown {
  const known = SessionError.is(error) ? undefined : classify(error)
  if (known === undefined || known.code === 'MCP_SESSION_INTERNAL' || !(error instanceof Error)) return error
  return new SessionError(known.code, `${where} cannot be opened: ${remedy(error.message)}`, { retryable: known.retryable, cause: error })
}

function remedy(message: string): string {
  if (/^(NOAUTH|WRONGPASS|ERR (invalid password|AUTH))/.test(message)) return 'it wants another user name or password'
  if (/^NOPERM/.test(message)) return 'its access list does not let this user do what a store needs; see the README for one that does'
  if (/^LOADING/.test(message)) return 'it is still loading its data; try again in a moment'
  if (/^(CLUSTERDOWN|Failed to refresh)/.test(message)) return 'its cluster does not serve all slots, or none of its nodes answers'
  return 'it does not answer; see that it runs, and that host, port and TLS are right'
}

function isReplyError(error: Error): boolean {
  return error.name === 'ReplyError'
}

/** By name, not by class: a second copy of this package has a class of its own. */
function isFault(error: Error): error is RedisFault {
  return error.name === 'RedisFault' && 'reason' in error && typeof error.reason === 'string' && error.reason in faults
}

function failing(
  code: 'CORRUPT' | 'INTERNAL' | 'LIMIT' | 'TIMEOUT' | 'UNAVAILABLE',
  retryable: boolean,
  outcome: ErrorClass['outcome'],
): ErrorClass {
  return { code: `MCP_SESSION_${code}` satisfies SessionErrorCode, retryable, outcome }
}
