import { createHash } from 'node:crypto'
import { SessionError } from '@mcp-session/core/backend'
import type { PoolClient } from 'pg'
import { migrations, newestVersion } from './migrations.ts'
import type { Names } from './names.ts'

export interface MigrateOptions {
  readonly names: Names
  readonly unlogged: boolean
  /** `false`: only checks. */
  readonly allowed: boolean
}

/**
 * Brings tables and functions up to date, in one transaction under an advisory lock that only the next migration of that schema waits
 * for. `SCHEMA` for tables of a newer version, of somebody else, of the other sort, or missing where none may be made.
 */
export async function migrate(client: PoolClient, { names, unlogged, allowed }: MigrateOptions): Promise<void> {
  if ((await versionOf(client, names)) !== newestVersion) {
    if (!allowed) throw schemaError(names, `is not of version ${newestVersion}, and migrate is false: run migratePostgres() first`)
    await inTransaction(client, async () => {
      await client.query('SELECT pg_advisory_xact_lock($1::bigint)', [lockKey(names)])
      await runMissing(client, names, unlogged)
    })
  }
  await checkSort(client, names, unlogged)
}

async function runMissing(client: PoolClient, names: Names, unlogged: boolean): Promise<void> {
  // Another node may have done it while this one waited for the lock.
  const found = await versionOf(client, names)
  if (found === 0) {
    await makeSchema(client, names)
    await refuseForeignTables(client, names)
    await client.query(`CREATE TABLE ${names.version} (version integer NOT NULL)`)
    await client.query(`INSERT INTO ${names.version} VALUES (0)`)
  }
  for (const { version, statements } of migrations) {
    if (version > found) for (const statement of statements(names, unlogged)) await client.query(statement)
  }
  await client.query(`UPDATE ${names.version} SET version = ${newestVersion}`)
}

async function inTransaction(client: PoolClient, work: () => Promise<void>): Promise<void> {
  await client.query('BEGIN ISOLATION LEVEL READ COMMITTED')
  try {
    await work()
    await client.query('COMMIT')
  } catch (error) {
    // Where the connection is gone, so is the transaction.
    await client.query('ROLLBACK').catch(() => {})
    throw error
  }
}

/** 0: there are no tables of ours. */
async function versionOf(client: PoolClient, names: Names): Promise<number> {
  if (!(await relations(client, names)).includes('mcp_session_version')) return 0
  const { rows } = await client.query<{ version: unknown }>(`SELECT version FROM ${names.version}`)
  const version = Number(rows[0]?.version)
  if (!Number.isSafeInteger(version) || version < 1) {
    throw new SessionError('MCP_SESSION_CORRUPT', `The schema ${names.schema} holds no version: restore a backup, or choose another schema`)
  }
  if (version <= newestVersion) return version
  throw schemaError(names, `has version ${version}, this release knows ${newestVersion}: upgrade @mcp-session/postgres here`)
}

/** It asks for no right to make schemas where there is one. */
async function makeSchema(client: PoolClient, names: Names): Promise<void> {
  const { rows } = await client.query('SELECT 1 FROM pg_namespace WHERE nspname = $1', [names.plainSchema])
  if (rows.length === 0) await client.query(`CREATE SCHEMA ${names.schema}`)
}

async function refuseForeignTables(client: PoolClient, names: Names): Promise<void> {
  const taken = (await relations(client, names))[0]
  if (taken !== undefined) throw schemaError(names, `has a table ${taken} that is not of this package: choose another schema`)
}

/** `to_regclass` would answer from a cache that knows nothing yet of what another node has just committed. */
async function relations(client: PoolClient, names: Names): Promise<readonly string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = $1 AND c.relname IN ('mcp_session', 'mcp_session_event', 'mcp_session_log', 'mcp_session_trim', 'mcp_session_seq', 'mcp_session_version')`,
    [names.plainSchema],
  )
  return rows.map(({ name }) => name)
}

async function checkSort(client: PoolClient, names: Names, unlogged: boolean): Promise<void> {
  const { rows } = await client.query<{ sort: string }>('SELECT relpersistence AS sort FROM pg_class WHERE oid = $1::regclass', [
    names.session,
  ])
  const isUnlogged = rows[0]?.sort === 'u'
  if (isUnlogged === unlogged) return
  const [is, asked] = isUnlogged ? ['unlogged', 'logged'] : ['logged', 'unlogged']
  throw schemaError(names, `has ${is} tables, and table is '${asked}': give table: '${is}', or another schema`)
}

function schemaError(names: Names, reason: string): SessionError {
  return new SessionError('MCP_SESSION_SCHEMA', `The schema ${names.schema} in postgres ${reason}`)
}

function lockKey({ schema }: Names): string {
  return createHash('sha256').update(`mcp-session migration ${schema}`).digest().readBigInt64BE().toString()
}
