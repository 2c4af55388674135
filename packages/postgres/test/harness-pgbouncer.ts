import type { Harness } from '@mcp-session/conformance'
import { startPgBouncer, startPostgres } from '@mcp-session/test-engines'
import { harnessOn, type PostgresHarness, type Started } from './conformance-harness.ts'

/** Connections to the engine are few, so that the same one serves many clients in turn. */
async function start(): Promise<Started> {
  const engine = await startPostgres()
  return { engine, pooler: await startPgBouncer({ target: engine, poolSize: 4 }) }
}

const made: PostgresHarness = harnessOn({ start, table: 'logged', module: import.meta.url })

export const harness: Harness = made.harness
export const end: () => Promise<void> = made.end
