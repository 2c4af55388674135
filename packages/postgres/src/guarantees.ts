import { type BackendInfo, SessionError } from '@mcp-session/core/backend'
import type { Lease } from './connections.ts'
import type { Names } from './names.ts'

/** What the engine, as it is set up, makes of an acknowledged write. Refuses settings under which the store would not be correct. */
export async function infoOf(lease: Lease, names: Names, relaxed: boolean): Promise<BackendInfo> {
  const { rows } = await lease.client.query<Readonly<Record<string, string>>>(settings, [`${names.session}`])
  const row = rows[0] ?? {}
  if (row['encoding'] !== 'UTF8') {
    throw refused(`the database has the encoding ${row['encoding']}: sessions need a database with UTF8`)
  }
  if (row['isolation'] !== 'read committed') {
    throw refused(
      `the default isolation level of this user is ${row['isolation']}: set it to read committed (ALTER ROLE … SET default_transaction_isolation)`,
    )
  }
  return { name: 'postgres', contract: 1, sharing: 'cluster', durability: durability(row, relaxed), expiry: 'swept' }
}

const settings = `SELECT current_setting('server_encoding') AS encoding, current_setting('transaction_isolation') AS isolation,
  current_setting('synchronous_commit') AS commit, current_setting('fsync') AS fsync, current_setting('full_page_writes') AS pages,
  (SELECT c.relpersistence::text FROM pg_class c WHERE c.oid = $1::regclass) AS persistence`

/** Unlogged tables are emptied, and commits that nobody waited for are lost, when any process of the engine crashes. */
function durability(row: Readonly<Record<string, string>>, relaxed: boolean): BackendInfo['durability'] {
  if (row['persistence'] !== 'p' || relaxed || row['commit'] === 'off') return 'caller'
  return row['fsync'] === 'on' && row['pages'] === 'on' ? 'host' : 'engine'
}

function refused(reason: string): SessionError {
  return new SessionError('MCP_SESSION_UNAVAILABLE', `The store in postgres cannot be opened: ${reason}`)
}
