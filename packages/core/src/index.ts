export type { Codec, CodecContext } from './codec.ts'
export { getCreatedAt, getMetadata, getSessionId, type NewSessionOptions, newSession, setMetadata } from './detached.ts'
export { SessionError, type SessionErrorCode, type SessionErrorOptions } from './errors.ts'
export type { LatencySummary } from './histogram.ts'
export type { Metrics } from './metrics.ts'
export { openSessions } from './open-sessions.ts'
export type { SchemaIssue, SchemaResult, StandardSchema } from './schema.ts'
export type {
  AccessOptions,
  AccessSignal,
  CorruptSession,
  CreateOptions,
  Health,
  ListOptions,
  Metadata,
  Session,
  SessionEvents,
  SessionPage,
  SessionSignals,
  Sessions,
  SessionsOptions,
} from './sessions.ts'
export { textCodec } from './text-codec.ts'
