import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import type { RunningStore, StoreOptions } from './running-store.ts'
import { placeText } from './store-place.ts'

const sessionTables = ['mcp_session', 'mcp_session_event', 'mcp_session_log', 'mcp_session_trim']

export async function startSqliteStore({ durable = true }: StoreOptions): Promise<RunningStore> {
  const folder = await mkdtemp(join(tmpdir(), 'mcp-session-store-'))
  const path = join(folder, 'sessions.db')
  return {
    place: placeText({ backend: 'sqlite', path, durable }),
    engines: [],
    relays: [],
    survivesCrash: true,
    async settled() {},
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
