import { never } from './rows.ts'

export interface Migration {
  readonly version: number
  /** Names come from the checked `table` option, and are quoted all the same. */
  statements(table: string): readonly string[]
}

/** Numbered, in order, appended to and never edited: stores in the field have run them. */
export const migrations: readonly Migration[] = [
  {
    version: 1,
    statements: (table) => [
      `CREATE TABLE "${table}" (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  rev TEXT NOT NULL,
  prev_rev TEXT,
  owner TEXT,
  created_at INTEGER NOT NULL,
  last_accessed_at INTEGER NOT NULL,
  ttl_ms INTEGER NOT NULL,
  must_end_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  head_crc INTEGER NOT NULL,
  check_sum INTEGER NOT NULL,
  data TEXT NOT NULL
) STRICT`,
      `CREATE INDEX "${table}_by_expiry" ON "${table}" (expires_at) WHERE expires_at < ${never}`,
      `CREATE INDEX "${table}_by_owner" ON "${table}" (owner, id) WHERE owner IS NOT NULL`,
      `CREATE TABLE "${table}_event" (
  session INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  key TEXT NOT NULL,
  stream TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  data TEXT NOT NULL,
  PRIMARY KEY (session, sequence),
  UNIQUE (session, key)
) STRICT, WITHOUT ROWID`,
      `CREATE TABLE "${table}_log" (
  session INTEGER PRIMARY KEY,
  last INTEGER NOT NULL,
  oldest INTEGER NOT NULL,
  count INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  trimmed_through INTEGER NOT NULL
) STRICT`,
      `CREATE TABLE "${table}_trim" (
  session INTEGER NOT NULL,
  stream TEXT NOT NULL,
  trimmed_through INTEGER NOT NULL,
  PRIMARY KEY (session, stream)
) STRICT, WITHOUT ROWID`,
      `CREATE TABLE "${table}_signal" (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  channel TEXT NOT NULL,
  message TEXT NOT NULL
) STRICT`,
    ],
  },
  {
    version: 2,
    statements: (table) => [`ALTER TABLE "${table}_log" ADD COLUMN oldest_internal INTEGER NOT NULL DEFAULT 1`],
  },
]
