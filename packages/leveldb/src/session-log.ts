import { damaged } from './head.ts'
import { logKey, trimKey } from './keys.ts'
import { seal, unsealItems } from './sealed.ts'

/** What a session remembers of its events. Those of streams that begin with `!`, internal ones, are not counted. */
export interface SessionLog {
  readonly last: number
  /** No counted event has a smaller sequence: trimming begins here, and steps over an internal event once only. */
  readonly oldest: number
  /** The same for internal events. */
  readonly oldestInternal: number
  readonly count: number
  readonly bytes: number
  /** The newest sequence that is gone, whatever its stream. */
  readonly newestTrimmed: number
  /** Events up to here are gone, nobody knows of which streams. */
  readonly trimmedThrough: number
}

type Read = (key: string) => string | undefined

const emptyLog: SessionLog = { last: 0, oldest: 1, oldestInternal: 1, count: 0, bytes: 0, newestTrimmed: 0, trimmedThrough: 0 }

export function formatLog(sessionId: string, log: SessionLog): string {
  const { last, oldest, oldestInternal, count, bytes, newestTrimmed, trimmedThrough } = log
  return seal(logKey(sessionId), JSON.stringify([last, oldest, oldestInternal, count, bytes, newestTrimmed, trimmedThrough]))
}

/** `CORRUPT` where it is not what was written: without it sequences could repeat. */
export function readLog(read: Read, sessionId: string): SessionLog {
  const key = logKey(sessionId)
  const value = read(key)
  if (value === undefined) return emptyLog
  const items = unsealItems(key, value)
  if (items === undefined) throw damaged(sessionId)
  const [last, oldest, oldestInternal, count, bytes, newestTrimmed, trimmedThrough] = items.map(Number)
  if (last === undefined || oldest === undefined || oldestInternal === undefined || count === undefined) throw damaged(sessionId)
  if (bytes === undefined || newestTrimmed === undefined || trimmedThrough === undefined) throw damaged(sessionId)
  return { last, oldest, oldestInternal, count, bytes, newestTrimmed, trimmedThrough }
}

export function formatTrim(sessionId: string, stream: string, sequence: number): string {
  return seal(trimKey(sessionId, stream), JSON.stringify([sequence]))
}

/** Up to which sequence a stream was trimmed: 0 for one that was not, `Infinity` where it is not what was written. */
export function readTrim(read: Read, key: string): number {
  const value = read(key)
  if (value === undefined) return 0
  const [sequence] = unsealItems(key, value) ?? []
  return sequence === undefined ? Number.POSITIVE_INFINITY : Number(sequence)
}
