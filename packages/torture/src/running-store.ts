import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Engine, FaultRelay } from '@mcp-session/test-engines'
import Database from 'better-sqlite3'
import { NotRun } from './harness.ts'
import { placeText } from './store-place.ts'

/** A store of one run's own, with the engine under it. Disposing of it ends the engine and removes the data. */
export interface RunningStore extends AsyncDisposable {
  /** For `backendOf`, in any process. */
  readonly place: string
  /** The servers under it; none where the engine lives in the clients' processes. */
  readonly engines: readonly Engine[]
  /** What the clients' connections lead through. */
  readonly relays: readonly FaultRelay[]
  /** What the engine itself holds of sessions, looked at without the backend: one text for each place that is not empty. */
  leftovers(): Promise<readonly string[]>
}

export interface StoreOptions {
  /** Of a file: whether it stands a power cut. Default true. */
  readonly durable?: boolean
}

/** `NotRun` where the machine has no such engine. */
export async function startStore(backend: string, options: StoreOptions = {}): Promise<RunningStore> {
  const start = starters[backend]
  if (start === undefined) throw new NotRun(`no store of the backend ${backend} can be started here`)
  return start(options)
}

const starters: Readonly<Record<string, (options: StoreOptions) => Promise<RunningStore>>> = {
  memory: async () => ({
    place: placeText({ backend: 'memory' }),
    engines: [],
    relays: [],
    leftovers: async () => [],
    async [Symbol.asyncDispose]() {},
  }),
  sqlite: startFile,
}

const sessionTables = ['mcp_session', 'mcp_session_event', 'mcp_session_log', 'mcp_session_trim']

async function startFile({ durable = true }: StoreOptions): Promise<RunningStore> {
  const folder = await mkdtemp(join(tmpdir(), 'mcp-session-store-'))
  const path = join(folder, 'sessions.db')
  return {
    place: placeText({ backend: 'sqlite', path, durable }),
    engines: [],
    relays: [],
    async leftovers() {
      const database = new Database(path, { readonly: true })
      try {
        return sessionTables.flatMap((table) => {
          const rows = database.prepare(`SELECT count(*) FROM ${table}`).pluck().get()
          return rows === 0 ? [] : [`${rows} rows of ${table}`]
        })
      } finally {
        database.close()
      }
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  }
}
