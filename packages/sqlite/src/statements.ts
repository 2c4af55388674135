import type { SqliteDatabase, SqliteStatement } from './driver.ts'
import { never } from './rows.ts'

/** Everything that is said to SQLite while the store is open, prepared once. */
export interface Statements {
  readonly record: SqliteStatement
  /** What may have changed of a record whose rev is known. */
  readonly instants: SqliteStatement
  readonly standing: SqliteStatement
  readonly insert: SqliteStatement
  readonly replace: SqliteStatement
  readonly touch: SqliteStatement
  readonly remove: SqliteStatement
  readonly expired: SqliteStatement
  readonly list: ListStatements
  readonly listOwner: ListStatements
  readonly idBytes: SqliteStatement
  readonly log: SqliteStatement
  readonly saveLog: SqliteStatement
  readonly removeLog: SqliteStatement
  readonly eventOfKey: SqliteStatement
  readonly insertEvent: SqliteStatement
  readonly restoreEvent: SqliteStatement
  readonly oldestEvents: SqliteStatement
  readonly removeEvent: SqliteStatement
  readonly removeEvents: SqliteStatement
  readonly events: SqliteStatement
  readonly eventsOfStreams: SqliteStatement
  readonly tooOld: SqliteStatement
  readonly tooOldOfStreams: SqliteStatement
  readonly saveTrim: SqliteStatement
  readonly trimmedOfStreams: SqliteStatement
  readonly trimmed: SqliteStatement
  readonly trimBeyond: SqliteStatement
  readonly forgetTrims: SqliteStatement
  readonly removeTrims: SqliteStatement
  readonly insertSignal: SqliteStatement
  readonly trimSignals: SqliteStatement
  readonly lastSignal: SqliteStatement
  readonly signalsAfter: SqliteStatement
  readonly version: SqliteStatement
}

export interface ListStatements {
  readonly full: SqliteStatement
  readonly headers: SqliteStatement
}

/** Any single changed bit in one of these columns changes the sum, and no sum of real values leaves the 64 bits. */
function sumOf(lastAccessedAt: string, expiresAt: string, column: (name: string) => string): string {
  const others = [
    [3, 'seq'],
    [5, 'created_at'],
    [7, 'ttl_ms'],
    [11, 'must_end_at'],
    [13, 'head_crc'],
  ] as const
  return `(${others.map(([factor, name]) => `${factor} * ${column(name)}`).join(' + ')} + 17 * ${lastAccessedAt} + 19 * ${expiresAt})`
}

// The driver binds every number as a double; the sums must be those of integers.
const parameters: Readonly<Record<string, string>> = {
  seq: 'seq',
  created_at: 'CAST(@createdAt AS INTEGER)',
  ttl_ms: 'CAST(@ttlMs AS INTEGER)',
  must_end_at: 'CAST(@mustEndAt AS INTEGER)',
  head_crc: 'CAST(@headCrc AS INTEGER)',
}
const newLastAccessedAt = 'CAST(@lastAccessedAt AS INTEGER)'
const newExpiresAt = 'CAST(@expiresAt AS INTEGER)'
const newSum = sumOf(newLastAccessedAt, newExpiresAt, (name) => parameters[name] ?? name)
const intact = `(check_sum = ${sumOf('last_accessed_at', 'expires_at', (name) => name)})`
const head = `seq, id, rev, prev_rev, owner, created_at, last_accessed_at, ttl_ms, must_end_at, expires_at, head_crc, ${intact} AS intact`

export function prepareStatements(database: SqliteDatabase, table: string): Statements {
  const t = `"${table}"`
  const event = `"${table}_event"`
  const log = `"${table}_log"`
  const trim = `"${table}_trim"`
  const signal = `"${table}_signal"`
  const prepare = (sql: string) => database.prepare(sql).safeIntegers(false)

  // A row that is not intact may be live: it is listed, so that the store can name it. A row that is not live is only stepped over.
  const list = (owner: string, data: string) =>
    prepare(`SELECT ${head}, (expires_at > @now OR NOT ${intact}) AS live, ${data} AS data FROM ${t}
      WHERE ${owner} id >= CAST(@from AS TEXT) AND id < CAST(@to AS TEXT) ORDER BY id LIMIT @limit`)
  const pages = (owner: string) => ({
    full: list(owner, `iif(expires_at > @now, data, '')`),
    headers: list(owner, `''`),
  })

  const eventsAfter = `FROM ${event} WHERE session = @session AND sequence > @after`
  const inStreams = `AND stream IN (SELECT value FROM json_each(@streams))`

  return {
    record: prepare(`SELECT ${head}, data FROM ${t} WHERE id = ?`),
    instants: prepare(`SELECT rev, last_accessed_at, expires_at, ${intact} AS intact FROM ${t} WHERE id = ?`),
    standing: prepare(`SELECT seq, rev, expires_at, ${intact} AS intact FROM ${t} WHERE id = ?`),
    // The sum covers seq, so seq is chosen here, as AUTOINCREMENT would: one more than the greatest ever used.
    insert: prepare(`INSERT INTO ${t}
      (seq, id, rev, prev_rev, owner, created_at, last_accessed_at, ttl_ms, must_end_at, expires_at, head_crc, check_sum, data)
      SELECT seq, @id, @rev, @prevRev, @owner, @createdAt, @lastAccessedAt, @ttlMs, @mustEndAt, @expiresAt, @headCrc, ${newSum}, @data
      FROM (SELECT 1 + coalesce((SELECT seq FROM sqlite_sequence WHERE name = '${table}'), 0) AS seq) WHERE true
      ON CONFLICT (id) DO NOTHING`),
    replace: prepare(`UPDATE ${t} SET rev = @rev, prev_rev = @prevRev, owner = @owner, created_at = @createdAt,
      last_accessed_at = @lastAccessedAt, ttl_ms = @ttlMs, must_end_at = @mustEndAt, expires_at = @expiresAt, head_crc = @headCrc,
      check_sum = ${newSum}, data = @data
      WHERE id = @id AND rev = @expectedRev AND expires_at > @now AND ${intact}`),
    touch: prepare(`UPDATE ${t} SET
      last_accessed_at = max(last_accessed_at, ${newLastAccessedAt}), expires_at = max(expires_at, ${newExpiresAt}),
      check_sum = check_sum + 17 * (max(last_accessed_at, ${newLastAccessedAt}) - last_accessed_at)
        + 19 * (max(expires_at, ${newExpiresAt}) - expires_at)
      WHERE id = @id AND rev = @rev AND expires_at > @now AND ${intact}
        AND (last_accessed_at < @lastAccessedAt OR expires_at < @expiresAt)`),
    remove: prepare(`DELETE FROM ${t} WHERE seq = ?`),
    expired: prepare(
      `SELECT seq FROM ${t} WHERE expires_at <= @now AND expires_at < ${never} AND ${intact} ORDER BY expires_at LIMIT @limit`,
    ),
    list: pages(''),
    listOwner: pages('owner = @owner AND'),
    idBytes: prepare(`SELECT CAST(id AS BLOB) AS bytes FROM ${t} WHERE seq = ?`),

    log: prepare(`SELECT last, oldest, oldest_internal, count, bytes, trimmed_through FROM ${log} WHERE session = ?`),
    saveLog: prepare(`INSERT OR REPLACE INTO ${log}
      (session, last, oldest, oldest_internal, count, bytes, trimmed_through)
      VALUES (@session, @last, @oldest, @oldestInternal, @count, @bytes, @trimmedThrough)`),
    removeLog: prepare(`DELETE FROM ${log} WHERE session = ?`),
    eventOfKey: prepare(`SELECT sequence FROM ${event} WHERE session = ? AND key = ?`),
    insertEvent: prepare(`INSERT INTO ${event} (session, sequence, key, stream, created_at, bytes, data)
      VALUES (@session, @sequence, @key, @stream, @createdAt, @bytes, @data)`),
    restoreEvent: prepare(`INSERT INTO ${event} (session, sequence, key, stream, created_at, bytes, data)
      VALUES (@session, @sequence, @key, @stream, @createdAt, @bytes, @data) ON CONFLICT DO NOTHING`),
    oldestEvents: prepare(`SELECT sequence, stream, created_at, bytes FROM ${event}
      WHERE session = ? AND sequence >= ? AND sequence < ? ORDER BY sequence LIMIT 8`),
    removeEvent: prepare(`DELETE FROM ${event} WHERE session = ? AND sequence = ?`),
    removeEvents: prepare(`DELETE FROM ${event} WHERE session = ?`),
    events: prepare(`SELECT sequence, key, stream, created_at, bytes, data ${eventsAfter} AND created_at >= @oldestAt
      ORDER BY sequence LIMIT @limit`),
    eventsOfStreams: prepare(`SELECT sequence, key, stream, created_at, bytes, data ${eventsAfter} AND created_at >= @oldestAt ${inStreams}
      ORDER BY sequence LIMIT @limit`),
    tooOld: prepare(`SELECT 1 ${eventsAfter} AND created_at < @oldestAt LIMIT 1`),
    tooOldOfStreams: prepare(`SELECT 1 ${eventsAfter} AND created_at < @oldestAt ${inStreams} LIMIT 1`),
    saveTrim: prepare(`INSERT OR REPLACE INTO ${trim} (session, stream, trimmed_through) VALUES (?, ?, ?)`),
    trimmedOfStreams: prepare(`SELECT 1 FROM ${trim} WHERE session = @session AND trimmed_through > @after ${inStreams} LIMIT 1`),
    trimmed: prepare(`SELECT 1 FROM ${trim} WHERE session = @session AND trimmed_through > @after LIMIT 1`),
    trimBeyond: prepare(`SELECT trimmed_through FROM ${trim} WHERE session = ? ORDER BY trimmed_through DESC LIMIT 1 OFFSET ?`),
    forgetTrims: prepare(`DELETE FROM ${trim} WHERE session = ? AND trimmed_through <= ?`),
    removeTrims: prepare(`DELETE FROM ${trim} WHERE session = ?`),

    insertSignal: prepare(`INSERT INTO ${signal} (channel, message) VALUES (?, ?) RETURNING seq`),
    trimSignals: prepare(`DELETE FROM ${signal} WHERE seq <= ?`),
    lastSignal: prepare(`SELECT coalesce(max(seq), 0) AS seq FROM ${signal}`),
    signalsAfter: prepare(`SELECT seq, channel, message FROM ${signal} WHERE seq > ? ORDER BY seq LIMIT 1000`),
    version: prepare(`SELECT version FROM "${table}_schema"`),
  }
}
