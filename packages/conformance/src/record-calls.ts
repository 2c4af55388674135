import type { SessionRecord } from '@mcp-session/core/backend'
import type { Calls } from './calls.ts'
import type { RecordAnswer, RecordCall, RecordOperation } from './record-history.ts'

/** What a recording client needs besides the calls. */
export interface RecordingClient {
  readonly client: number | string
  readonly calls: Calls
  /** The record to write under a rev; revs are never reused. */
  recordOf(id: string, rev: string, prevRev: string | null): SessionRecord
  /** A clock that all clients of the history share. */
  clock(): number
}

/** Makes a call and gives it as an entry of a history. A call that fails may have happened: its outcome is unknown. */
export async function recordCall(by: RecordingClient, id: string, call: RecordCall): Promise<RecordOperation> {
  const start = by.clock()
  try {
    const answer = await carryOut(by, id, call)
    return { id, client: by.client, call, start, end: by.clock(), known: true, answer }
  } catch {
    return { id, client: by.client, call, start, end: Number.POSITIVE_INFINITY, known: false, answer: { done: false } }
  }
}

async function carryOut(by: RecordingClient, id: string, call: RecordCall): Promise<RecordAnswer> {
  switch (call.method) {
    case 'create':
      return { done: await by.calls.create(by.recordOf(id, call.rev, null)) }
    case 'get': {
      const record = await by.calls.get(id)
      return { done: record !== undefined, rev: record?.rev }
    }
    case 'replace': {
      const result = await by.calls.replace(by.recordOf(id, call.rev, call.expectedRev), call.expectedRev)
      return result.replaced ? { done: true } : { done: false, rev: result.current?.rev }
    }
    case 'touch': {
      const { lastAccessedAt, expiresAt } = by.recordOf(id, call.rev, null)
      const result = await by.calls.touch({ id, rev: call.rev, lastAccessedAt: lastAccessedAt + 1, expiresAt })
      return { done: result === 'touched', moved: result === 'moved' }
    }
    case 'delete':
      return { done: await by.calls.delete(id, call.expectedRev) }
  }
}
