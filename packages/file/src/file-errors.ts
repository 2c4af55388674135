import { type ErrorClass, SessionError } from '@mcp-session/core/backend'

/** Names the errors that Node throws for files, see the README. Pure. */
export function classify(error: unknown): ErrorClass | undefined {
  if (SessionError.is(error)) return { code: error.code, retryable: error.retryable, outcome: error.outcome }
  switch (errorCode(error)) {
    case 'ENOSPC':
    case 'EDQUOT':
      return { code: 'MCP_SESSION_LIMIT', retryable: true, outcome: 'unknown' }
    case 'EFBIG':
      return { code: 'MCP_SESSION_LIMIT', retryable: false, outcome: 'unknown' }
    case 'EIO':
    case 'EMFILE':
    case 'ENFILE':
    case 'ENOMEM':
    case 'EAGAIN':
    case 'EBUSY':
    case 'EINTR':
    case 'ENODEV':
    case 'ENXIO':
    case 'ESTALE':
    case 'ETIMEDOUT':
      return { code: 'MCP_SESSION_UNAVAILABLE', retryable: true, outcome: 'unknown' }
    case 'EROFS':
    case 'EACCES':
    case 'EPERM':
    case 'ENOENT':
    case 'ENOTDIR':
    case 'EISDIR':
    case 'ELOOP':
    case 'ENAMETOOLONG':
      return { code: 'MCP_SESSION_UNAVAILABLE', retryable: false, outcome: 'unknown' }
    default:
      return undefined
  }
}

/** The `code` of an error of Node. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

export function isFull(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT', 'EFBIG'].includes(errorCode(error) ?? '')
}

/** What `open` throws for a failure of the disk: it says what to do. Anything else goes on as it is. */
export function openFailure(error: unknown, folder: string): unknown {
  if (SessionError.is(error)) return error
  const known = classify(error)
  if (known === undefined) return error
  return new SessionError(known.code, `The folder ${folder} cannot be opened: ${remedy(errorCode(error) ?? '')}`, {
    retryable: known.retryable,
    cause: error,
  })
}

/** The disk has no room, and nothing was written. */
export function full(cause: unknown): SessionError {
  const message = 'The disk has no room for another write, nothing was written: make room; deleting sessions still works'
  return new SessionError('MCP_SESSION_LIMIT', message, { retryable: true, cause })
}

export function corrupt(message: string, cause?: unknown): SessionError {
  return new SessionError('MCP_SESSION_CORRUPT', message, cause === undefined ? {} : { cause })
}

export function newerFormat(path: string): SessionError {
  return new SessionError(
    'MCP_SESSION_SCHEMA',
    `${path} was written by a newer release of @mcp-session/file: upgrade it; nothing was changed`,
  )
}

function remedy(code: string): string {
  if (['ENOSPC', 'EDQUOT', 'EFBIG'].includes(code)) return 'the disk is full; make room'
  if (['EROFS', 'EACCES', 'EPERM'].includes(code)) return 'give this process permission to write there'
  if (['ENOENT', 'ENOTDIR', 'ENAMETOOLONG'].includes(code)) return 'path must name a folder whose parent exists'
  if (['EISDIR', 'ELOOP'].includes(code)) return 'something that is not a file has the name of one of its files; move it away'
  return `the disk fails with ${code}; look at the cause and at the log of the system`
}
