import type { DriverError } from '@mcp-session/conformance'

/** Errors of classic-level as it throws them (`binding.cc`, abstract-level's documentation), and what a store has to make of each. */
export const driverErrors: readonly DriverError[] = [
  failing('LEVEL_LOCKED', 'IO error: lock /x/LOCK: Resource temporarily unavailable', 'LOCKED', true),
  failing('LEVEL_CORRUPTION', 'Corruption: block checksum mismatch', 'CORRUPT', false),
  failing(undefined, 'Corruption: bad entry in block', 'CORRUPT', false),
  failing('LEVEL_IO_ERROR', 'IO error: /x/000003.log: No space left on device', 'LIMIT', true, 'unknown'),
  failing('LEVEL_IO_ERROR', 'IO error: /x/000003.log: Disk quota exceeded', 'LIMIT', true, 'unknown'),
  failing('LEVEL_IO_ERROR', 'IO error: /x/000003.log: Input/output error', 'UNAVAILABLE', true, 'unknown'),
  failing(undefined, 'IO error: /x/000005.ldb: Input/output error', 'UNAVAILABLE', true, 'unknown'),
  failing('LEVEL_IO_ERROR', 'IO error: /x/000003.log: Read-only file system', 'UNAVAILABLE', false),
  failing('LEVEL_IO_ERROR', 'IO error: /x/LOCK: Permission denied', 'UNAVAILABLE', false),
  failing('LEVEL_DATABASE_NOT_OPEN', 'Database is not open', 'UNAVAILABLE', true),
  failing('LEVEL_ITERATOR_NOT_OPEN', 'Iterator is not open', 'UNAVAILABLE', true),
  failing('LEVEL_SNAPSHOT_NOT_OPEN', 'Snapshot is not open', 'UNAVAILABLE', true),
  failing('LEVEL_ABORTED', 'Operation has been aborted', 'UNAVAILABLE', true),
  failing('LEVEL_INVALID_KEY', 'Key cannot be null or undefined', 'INTERNAL', false),
  notOpened('LEVEL_LOCKED', 'IO error: lock /x/LOCK: already held by process', 'LOCKED', true),
  notOpened('LEVEL_IO_ERROR', 'IO error: /x/000007.ldb: No space left on device', 'LIMIT', true),
  notOpened('LEVEL_CORRUPTION', 'Corruption: no meta-nextfile entry in descriptor', 'CORRUPT', false),
  { name: 'an error of nobody knows whom', error: new Error('boom'), expected: undefined },
]

type Code = 'CORRUPT' | 'INTERNAL' | 'LIMIT' | 'LOCKED' | 'UNAVAILABLE'

function failing(
  levelCode: string | undefined,
  message: string,
  code: Code,
  retryable: boolean,
  outcome: 'none' | 'unknown' = 'none',
): DriverError {
  const error = Object.assign(new Error(message), levelCode === undefined ? {} : { code: levelCode })
  return { name: `${levelCode ?? 'no code'}: ${message}`, error, expected: { code: `MCP_SESSION_${code}`, retryable, outcome } }
}

/** What stopped the database from opening is the cause of what the driver throws then. */
function notOpened(levelCode: string, reason: string, code: Code, retryable: boolean): DriverError {
  const cause = Object.assign(new Error(reason), { code: levelCode })
  const error = Object.assign(new Error('Database failed to open', { cause }), { code: 'LEVEL_DATABASE_NOT_OPEN' })
  return { name: `not opened: ${reason}`, error, expected: { code: `MCP_SESSION_${code}`, retryable, outcome: 'none' } }
}
