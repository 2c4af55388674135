import type { SessionRecord } from './backend.ts'

/** A record that the caller knows, with the instants that the engine has under its rev: itself where they are the same. Law `record/known`. */
export function knownAt(known: SessionRecord, lastAccessedAt: number, expiresAt: number): SessionRecord {
  return lastAccessedAt === known.lastAccessedAt && expiresAt === known.expiresAt ? known : { ...known, lastAccessedAt, expiresAt }
}
