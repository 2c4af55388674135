import type { Retention } from '@mcp-session/core/backend'
import { isInternal, type KeptEvent, parseEvent } from './event.ts'
import { eventKey, sequenceOf, trimKey, writerKey } from './keys.ts'
import { formatTrim, readTrim, type SessionLog } from './session-log.ts'
import type { StagedWrites } from './staged-writes.ts'

/** A session that opens a stream per request names new ones for ever, so the oldest trimmed ones are remembered together only. */
const maxTrimmedStreams = 4_096

/** Removes the oldest events until the bounds of `retention` hold, and gives the log as it is then. The newest event stays. */
export async function trim(staged: StagedWrites, id: string, log: SessionLog, retention: Retention, now: number): Promise<SessionLog> {
  const counted = await trimCounted(staged, id, log, retention, now)
  const both = await trimInternal(staged, id, counted, retention, now)
  return await forgetStreams(staged, id, both)
}

async function trimCounted(staged: StagedWrites, id: string, log: SessionLog, retention: Retention, now: number): Promise<SessionLog> {
  let { oldest, count, bytes, newestTrimmed, trimmedThrough } = log
  for await (const [sequence, event] of eventsFrom(staged, id, oldest, log.last)) {
    if (event === undefined) {
      // Damaged: nobody knows how large it was, nor of which stream.
      staged.remove(eventKey(id, sequence))
      count = Math.max(0, count - 1)
      trimmedThrough = Math.max(trimmedThrough, sequence)
    } else if (!isInternal(event.stream)) {
      if (count <= retention.maxEvents && bytes <= retention.maxBytes && event.createdAt >= now - retention.maxAgeMs) break
      remove(staged, id, event)
      count -= 1
      bytes -= event.bytes
      newestTrimmed = Math.max(newestTrimmed, sequence)
    }
    oldest = sequence + 1
  }
  return { ...log, oldest, count, bytes, newestTrimmed: Math.max(newestTrimmed, trimmedThrough), trimmedThrough }
}

async function trimInternal(staged: StagedWrites, id: string, log: SessionLog, retention: Retention, now: number): Promise<SessionLog> {
  const { maxInternalAgeMs = Number.POSITIVE_INFINITY } = retention
  if (maxInternalAgeMs === Number.POSITIVE_INFINITY) return log
  let { oldestInternal, newestTrimmed } = log
  for await (const [sequence, event] of eventsFrom(staged, id, oldestInternal, log.last)) {
    if (event !== undefined && isInternal(event.stream)) {
      if (event.createdAt >= now - maxInternalAgeMs) break
      remove(staged, id, event)
      newestTrimmed = Math.max(newestTrimmed, sequence)
    }
    oldestInternal = sequence + 1
  }
  return { ...log, oldestInternal, newestTrimmed }
}

/** From a sequence on, all before `last`; `undefined` for one that is not what was written. Looked up one by one: mostly one is wanted. */
async function* eventsFrom(
  staged: StagedWrites,
  id: string,
  from: number,
  last: number,
): AsyncGenerator<readonly [number, KeptEvent | undefined]> {
  let sequence = from
  while (sequence < last) {
    const key = eventKey(id, sequence)
    const value = staged.get(key)
    if (value !== undefined) {
      yield [sequence, parseEvent(key, value)]
      sequence += 1
    } else {
      const [next] = await staged.keys(key, eventKey(id, last), 1)
      if (next === undefined) return
      sequence = sequenceOf(next)
    }
  }
}

function remove(staged: StagedWrites, id: string, { sequence, stream, key }: KeptEvent): void {
  staged.remove(eventKey(id, sequence))
  staged.remove(writerKey(id, key))
  staged.put(trimKey(id, stream), formatTrim(id, stream, sequence))
}

/** Now and then, since it looks at all of the session's trimmed streams. */
async function forgetStreams(staged: StagedWrites, id: string, log: SessionLog): Promise<SessionLog> {
  if (log.last % 256 !== 0) return log
  const keys = await staged.keys(trimKey(id, ''), `t${id}\u0001`)
  if (keys.length <= maxTrimmedStreams) return log
  const trims = keys.map((key) => ({ key, sequence: readTrim(staged.get, key) })).toSorted((a, b) => a.sequence - b.sequence)
  const forgotten = trims.slice(0, trims.length - maxTrimmedStreams)
  for (const { key } of forgotten) staged.remove(key)
  const newest = forgotten.at(-1)?.sequence ?? 0
  return { ...log, trimmedThrough: Math.max(log.trimmedThrough, newest) }
}
