import { connections } from './connections.ts'
import { migrate } from './migrate.ts'
import { namesIn } from './names.ts'
import { type PostgresBackendOptions, readOptions } from './options.ts'
import { openFailure } from './postgres-errors.ts'
import { withLease } from './with-lease.ts'

/** A migration of a large store may rewrite it. */
const migrateWithinMs = 600_000

/**
 * Makes or updates the tables and functions of a store, for places where servers may not: run it as a user that may, with the same
 * `schema` and `table` as the servers, who then say `migrate: false`. Where nothing is missing it changes nothing.
 * @throws TypeError for bad options. SessionError as `open` of the backend.
 */
export async function migratePostgres(options: PostgresBackendOptions): Promise<void> {
  const { schema, unlogged, source } = readOptions(options)
  const links = connections(source)
  try {
    await withLease(links, migrateWithinMs, ({ client }) => migrate(client, { names: namesIn(schema), unlogged, allowed: true }))
  } catch (error) {
    throw openFailure(error)
  } finally {
    await links.close()
  }
}
