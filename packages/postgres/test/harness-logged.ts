import type { Harness } from '@mcp-session/conformance'
import { startPostgres } from '@mcp-session/test-engines'
import { harnessOn, type PostgresHarness } from './conformance-harness.ts'

const made: PostgresHarness = harnessOn({
  start: async () => ({ engine: await startPostgres() }),
  table: 'logged',
  module: import.meta.url,
})

export const harness: Harness = made.harness
export const end: () => Promise<void> = made.end
