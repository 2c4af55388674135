import { performance } from 'node:perf_hooks'
import type { Call } from '@mcp-session/core/backend'
import type { Statements } from './statements.ts'
import type { Wire } from './wire.ts'

/** Sessions bring their events along: a step ends early rather than delete more rows than this at once. */
const maxSweptRows = 2_000

/** Deletes at most `limit` expired records. Steps that only file anew what was extended meanwhile are followed by another one. */
export async function sweep(wire: Wire, statements: Statements, limit: number, call: Call): Promise<number> {
  for (;;) {
    const [row] = await wire.write(statements.sweep, [call.now, limit, maxSweptRows, '250'], [call])
    const deleted = Number(row?.[0] ?? 0)
    if (deleted > 0 || Number(row?.[1] ?? 0) === 0 || performance.now() >= call.deadlineAt) return deleted
    call.signal?.throwIfAborted()
  }
}
