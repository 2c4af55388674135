import { type ErrorClass, SessionError, type SessionErrorCode } from '@mcp-session/core/backend'

/** First match decides, on code and text: the driver gives most failures of the disk LevelDB's text alone. */
const classes: readonly (readonly [RegExp, ErrorClass])[] = [
  [/^LEVEL_LOCKED/, is('MCP_SESSION_LOCKED', true)],
  [/^LEVEL_CORRUPTION|^\S* ?Corruption:/, is('MCP_SESSION_CORRUPT', false)],
  // A batch of which a part reached the log may be found there when it is read again.
  [/IO error:.*(No space left on device|Disk quota exceeded|File too large)/, is('MCP_SESSION_LIMIT', true, 'unknown')],
  [/IO error:.*(Read-only file system|Permission denied|Operation not permitted)/, is('MCP_SESSION_UNAVAILABLE', false)],
  [/^LEVEL_IO_ERROR|^\S* ?IO error:/, is('MCP_SESSION_UNAVAILABLE', true, 'unknown')],
  [/^LEVEL_(DATABASE|ITERATOR|BATCH|SNAPSHOT)_NOT_OPEN|^LEVEL_(ABORTED|ITERATOR_BUSY|STATUS)/, is('MCP_SESSION_UNAVAILABLE', true)],
  [/^LEVEL_/, is('MCP_SESSION_INTERNAL', false)],
]

/** Names an error of classic-level; `undefined` for anything else. */
export function classify(error: unknown): ErrorClass | undefined {
  if (!(error instanceof Error)) return undefined
  const known = classes.find(([pattern]) => pattern.test(textOf(error)))?.[1]
  if (known === undefined || codeOf(error) !== 'LEVEL_DATABASE_NOT_OPEN') return known
  // The reason why it did not open, if it tried to; nothing was written then.
  const cause = classify(error.cause)
  return cause === undefined ? known : { ...cause, outcome: 'none' }
}

/** Whether the disk has no room for a write. */
export function isFull(error: unknown): boolean {
  return classify(error)?.code === 'MCP_SESSION_LIMIT'
}

/** What `open` throws: every known failure is typed there, and says what to do. Anything else goes on as it is. */
export function openFailure(error: unknown, where: string): unknown {
  if (SessionError.is(error) || !(error instanceof Error)) return error
  const known = classify(error) ?? systemFailure(error)
  if (known === undefined) return error
  return new SessionError(known.code, `${where} cannot be opened: ${advice(known, error)}`, { retryable: known.retryable, cause: error })
}

/** Failures of the folder itself, before LevelDB is asked. */
function systemFailure(error: Error): ErrorClass | undefined {
  const code = codeOf(error)
  if (/^(ENOSPC|EDQUOT)$/.test(code)) return is('MCP_SESSION_LIMIT', true)
  return /^E[A-Z]+$/.test(code) ? is('MCP_SESSION_UNAVAILABLE', /^(EMFILE|ENFILE|EIO|EAGAIN|EBUSY)$/.test(code)) : undefined
}

function advice({ code }: ErrorClass, error: Error): string {
  const reasons = `${textOf(error)} ${error.cause instanceof Error ? textOf(error.cause) : ''}`
  if (code === 'MCP_SESSION_LOCKED') return 'another program has it open without the lock of this package; end that one first'
  if (code === 'MCP_SESSION_CORRUPT') return 'it is damaged; restore a backup, or save what is left with ClassicLevel.repair(path)'
  if (code === 'MCP_SESSION_LIMIT') return 'the disk is full; make room'
  if (/ENOENT/.test(reasons)) return 'the folder above it does not exist; create it first'
  if (/ENOTDIR|EEXIST/.test(reasons)) return 'it is, or lies under, a file; path must name a folder'
  if (/EACCES|EPERM|EROFS|Permission denied|Read-only/.test(reasons)) return 'this process may not write there; give it permission'
  return 'the engine fails; look at the cause'
}

function is(code: SessionErrorCode, retryable: boolean, outcome: ErrorClass['outcome'] = 'none'): ErrorClass {
  return { code, retryable, outcome }
}

function textOf(error: Error): string {
  return `${codeOf(error)} ${error.message}`.trim()
}

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : ''
}
