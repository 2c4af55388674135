import { openSessions } from '@mcp-session/core'
import { sqliteBackend } from '@mcp-session/sqlite'
import Database from 'better-sqlite3'

export const plants = ['memory', 'drop-events', 'drop-restore'] as const

/**
 * A fault that the demo must notice. `memory`: the server keeps its sessions in its own memory. `drop-events`: the event
 * log is lost with the server. `drop-restore`: what the second process needs to restore the session is lost.
 */
export type Plant = (typeof plants)[number]

/** Damages the store while no server runs. */
export async function sow(plant: Plant | undefined, path: string): Promise<void> {
  if (plant === 'drop-events') {
    const database = new Database(path)
    const { changes } = database.prepare('DELETE FROM mcp_session_event').run()
    database.close()
    if (changes === 0) throw new Error('The plant found no event to delete.')
  }
  if (plant === 'drop-restore') {
    await using sessions = await openSessions({ backend: sqliteBackend({ path }), cleanupIntervalMs: 0 })
    for await (const { id } of sessions.iterate()) {
      if ((await sessions.updateContext(id, () => undefined)) === undefined) throw new Error('The plant found no session to change.')
    }
  }
}
