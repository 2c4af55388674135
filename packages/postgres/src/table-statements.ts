import { never } from './check-sum.ts'
import type { Names } from './names.ts'

/**
 * The tables. `sweep_at` is a lower bound of `expires_at` that a touch leaves alone, so that touches stay HOT updates: no index is
 * written. The sweep corrects it once per lifetime of a session.
 */
export function tableStatements(names: Names, unlogged: boolean): readonly string[] {
  const table = unlogged ? 'CREATE UNLOGGED TABLE' : 'CREATE TABLE'
  return [
    `CREATE SEQUENCE ${names.sequence}`,
    `${table} ${names.session} (
  id text COLLATE "C" PRIMARY KEY,
  seq bigint NOT NULL,
  rev text COLLATE "C" NOT NULL,
  prev_rev text COLLATE "C",
  owner text COLLATE "C",
  created_at bigint NOT NULL,
  last_accessed_at bigint NOT NULL,
  ttl_ms bigint NOT NULL,
  must_end_at bigint NOT NULL,
  expires_at bigint NOT NULL,
  sweep_at bigint NOT NULL,
  head_crc bigint NOT NULL,
  check_sum bigint NOT NULL,
  data text COLLATE "C" NOT NULL
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05)`,
    `CREATE INDEX mcp_session_by_sweep ON ${names.session} (sweep_at) WHERE sweep_at < ${never}`,
    `CREATE INDEX mcp_session_by_owner ON ${names.session} (owner, id) WHERE owner IS NOT NULL`,
    `${table} ${names.event} (
  session bigint NOT NULL,
  sequence bigint NOT NULL,
  key text COLLATE "C" NOT NULL,
  stream text COLLATE "C" NOT NULL,
  created_at bigint NOT NULL,
  data text COLLATE "C" NOT NULL,
  PRIMARY KEY (session, sequence),
  UNIQUE (session, key)
) WITH (autovacuum_vacuum_scale_factor = 0.05)`,
    `${table} ${names.log} (
  session bigint PRIMARY KEY,
  last bigint NOT NULL,
  oldest bigint NOT NULL,
  oldest_internal bigint NOT NULL,
  held bigint NOT NULL,
  counted bigint NOT NULL,
  bytes bigint NOT NULL,
  trimmed_through bigint NOT NULL
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05)`,
    `${table} ${names.trim} (
  session bigint NOT NULL,
  stream text COLLATE "C" NOT NULL,
  trimmed_through bigint NOT NULL,
  PRIMARY KEY (session, stream)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05)`,
  ]
}
