import Database from 'better-sqlite3'
import { NotRun } from './harness.ts'
import { startPostgresRows } from './postgres-rows.ts'
import { redisChanges } from './redis-changes.ts'
import { rowChanges } from './row-changes.ts'
import type { RunningStore } from './running-store.ts'
import { sqliteRows } from './sqlite-rows.ts'
import type { StorePlace } from './store-place.ts'

/** One thing that can be changed underneath a store. */
export interface Change {
  readonly what: string
  /** `false`: the engine refuses it, and nothing has changed. */
  make(): Promise<boolean>
  /** Puts everything back as it was. */
  undo(): Promise<void>
}

/** Where the bytes of a store are, reached without its backend. */
export interface RotSite extends AsyncDisposable {
  /** Everything that can be changed in what is stored now. */
  changes(): Promise<readonly Change[]>
}

export async function rotSiteOf(store: RunningStore): Promise<RotSite> {
  const { backend, path = '' }: StorePlace = JSON.parse(store.place)
  if (backend === 'sqlite') {
    const database = new Database(path)
    return { changes: () => rowChanges(sqliteRows(database)), [Symbol.asyncDispose]: async () => void database.close() }
  }
  const [engine] = store.engines
  if (engine === undefined) throw new NotRun(`${backend} keeps nothing that could be changed`)
  if (backend.startsWith('redis')) return redisChanges(store.engines)
  const rows = await startPostgresRows(engine)
  return { changes: () => rowChanges(rows), [Symbol.asyncDispose]: rows.end }
}
