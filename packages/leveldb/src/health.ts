import type { HealthWarning } from '@mcp-session/core/backend'
import { isFull } from './level-errors.ts'

/** What an operator should know. `failure`: what the last write failed with, until the database was opened again. */
export function warningsOf(failure: unknown): HealthWarning[] {
  if (failure === undefined) return []
  const message = isFull(failure)
    ? 'The disk is full: sessions are read, but none is created, changed or deleted until there is room'
    : 'The last write failed: the database is opened again with the next one'
  return [{ code: isFull(failure) ? 'leveldb-disk-full' : 'leveldb-write-failed', message }]
}
