import { type BatchOutcome, batcher, type Call, type SessionRecord } from '@mcp-session/core/backend'
import { texts } from './binary-arrays.ts'
import { checkText } from './check-input.ts'
import { isCallsFault } from './postgres-errors.ts'
import { damaged, type Standing, standingIn } from './rows.ts'
import type { Statements } from './statements.ts'
import type { Wire } from './wire.ts'

/** Reads of single records; those that are pending together are one statement. */
export interface RecordReads {
  get(id: string, call: Call): Promise<SessionRecord | undefined>
  /** Resolves once nothing is queued or in flight. */
  drain(): Promise<void>
}

export function recordReads(wire: Wire, statements: Statements): RecordReads {
  const batches = batcher<string, SessionRecord | undefined>({ name: 'postgres', flush, isDataError: isCallsFault })
  let count = 0

  async function get(id: string, call: Call): Promise<SessionRecord | undefined> {
    checkText('id', id)
    // Reads of one id can share a flush: every call has a key of its own.
    count += 1
    return batches.run(String(count), id, call)
  }

  async function flush(ids: readonly string[], calls: readonly Call[]): Promise<readonly BatchOutcome<SessionRecord | undefined>[]> {
    const distinct = [...new Set(ids)]
    const rows = await (distinct.length === 1
      ? wire.read(statements.getOne, distinct, calls)
      : wire.read(statements.get, [texts(distinct)], calls))
    const found = new Map<string, Standing>()
    for (const row of rows) {
      const standing = standingIn(row, 0)
      found.set(standing.record.id, standing)
    }
    return ids.map((id, index) => outcomeOf(found.get(id), calls[index]?.now ?? 0))
  }

  return { get, drain: batches.drain }
}

function outcomeOf(standing: Standing | undefined, now: number): BatchOutcome<SessionRecord | undefined> {
  if (standing === undefined) return { value: undefined }
  if (!standing.intact) return { error: damaged(standing.record.id) }
  // A record of its own for every caller: what one does with it is not seen by the others.
  return { value: standing.record.expiresAt > now ? { ...standing.record } : undefined }
}
