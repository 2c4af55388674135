import { intact, never, sumOf } from './check-sum.ts'
import type { Names } from './names.ts'

/** What every function that writes begins with: in other isolation levels a delete would miss events that it waited for. */
export const preamble = `IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'mcp-session needs the isolation level read committed' USING ERRCODE = 'invalid_transaction_state';
  END IF;
  PERFORM set_config('lock_timeout', p_lock_ms, true);`

/** The columns of a record, as `rows.ts` reads them. */
export function recordColumns(alias: string, data: string): string {
  const plain = ['id', 'rev', 'prev_rev', 'owner', 'created_at', 'last_accessed_at', 'ttl_ms', 'must_end_at', 'expires_at', 'head_crc']
  return [...plain.map((name) => `${alias}.${name}`), intact(alias), data].join(', ')
}

/** The same as result columns of a function; never referred to by name. */
const recordResults =
  'o_id text, o_rev text, o_prev_rev text, o_owner text, o_created_at bigint, o_last_accessed_at bigint, o_ttl_ms bigint, o_must_end_at bigint, o_expires_at bigint, o_head_crc bigint, o_intact boolean, o_data text'

/** Ends the events of the sessions in `gone`. Only a session with a log row has any. */
function removeEvents({ log, event, trim }: Names): string {
  return `IF cardinality(gone) > 0 THEN
    WITH logs AS (DELETE FROM ${log} WHERE session = ANY (gone) RETURNING session) SELECT array_agg(session) INTO gone FROM logs;
    IF gone IS NOT NULL THEN
      DELETE FROM ${event} WHERE session = ANY (gone);
      DELETE FROM ${trim} WHERE session = ANY (gone);
    END IF;
  END IF;`
}

/**
 * One flush of creates (c), replaces (r), touches (t) and deletes (d), no two on one id. All rows are locked in the order of ids
 * first, so that two flushes never wait for each other. Each further statement sees what was committed until then. The first result
 * row names the calls that have done what they are for, the others what is live where they have not.
 */
export function writeFunction(names: Names): string {
  const { session, sequence } = names
  const calls = `unnest(p_kinds, p_ids, p_nows, p_expected, p_revs, p_prev_revs, p_owners, p_created, p_accessed, p_ttls, p_must_ends, p_ends, p_crcs, p_data)
        WITH ORDINALITY AS u (kind, id, now, expected, rev, prev_rev, owner, created, accessed, ttl, must_end, ends, crc, data, n)`
  const touchedAt = 'greatest(s.last_accessed_at, u.accessed)'
  const touchedEnd = 'greatest(s.expires_at, u.ends)'
  return `CREATE FUNCTION ${names.write} (p_kinds text[], p_ids text[], p_nows bigint[], p_expected text[], p_revs text[], p_prev_revs text[],
  p_owners text[], p_created bigint[], p_accessed bigint[], p_ttls bigint[], p_must_ends bigint[], p_ends bigint[], p_crcs bigint[],
  p_data text[], p_lock_ms text)
RETURNS TABLE (o_n bigint, o_done bigint[], ${recordResults})
LANGUAGE plpgsql AS $mcp$
#variable_conflict use_column
DECLARE
  done bigint[] := '{}';
  made bigint[] := '{}';
  gone bigint[] := '{}';
  wanted integer := cardinality(array_positions(p_kinds, 'c'));
  rounds integer := 0;
BEGIN
  ${preamble}
  IF cardinality(p_ids) > 1 THEN
    PERFORM 1 FROM ${session} s WHERE s.id = ANY (p_ids) ORDER BY s.id FOR UPDATE;
  END IF;
  IF 'r' = ANY (p_kinds) THEN
    WITH written AS (
      UPDATE ${session} s SET rev = u.rev, prev_rev = u.prev_rev, owner = u.owner, created_at = u.created, last_accessed_at = u.accessed,
        ttl_ms = u.ttl, must_end_at = u.must_end, expires_at = u.ends, sweep_at = least(s.sweep_at, u.ends), head_crc = u.crc,
        check_sum = ${sumOf('u.accessed', 'u.ends', 's.seq', 'u.crc')}, data = u.data
      FROM ${calls}
      WHERE u.kind = 'r' AND s.id = u.id AND s.rev = u.expected AND s.expires_at > u.now AND ${intact('s')}
      RETURNING u.n)
    SELECT done || array_agg(n) INTO done FROM written;
  END IF;
  IF 't' = ANY (p_kinds) THEN
    WITH written AS (
      UPDATE ${session} s SET last_accessed_at = ${touchedAt}, expires_at = ${touchedEnd},
        check_sum = ${sumOf(touchedAt, touchedEnd, 's.seq', 's.head_crc')}
      FROM unnest(p_kinds, p_ids, p_nows, p_expected, p_accessed, p_ends) WITH ORDINALITY AS u (kind, id, now, expected, accessed, ends, n)
      WHERE u.kind = 't' AND s.id = u.id AND s.rev = u.expected AND s.expires_at > u.now AND ${intact('s')}
        AND (s.last_accessed_at < u.accessed OR s.expires_at < u.ends)
      RETURNING u.n)
    SELECT done || array_agg(n) INTO done FROM written;
  END IF;
  IF 'd' = ANY (p_kinds) THEN
    WITH deleted AS (
      DELETE FROM ${session} s USING unnest(p_kinds, p_ids, p_nows, p_expected) WITH ORDINALITY AS u (kind, id, now, expected, n)
      WHERE u.kind = 'd' AND s.id = u.id AND (s.expires_at > u.now OR NOT ${intact('s')}) AND (u.expected IS NULL OR s.rev = u.expected)
      RETURNING u.n, s.seq)
    SELECT done || array_agg(n), gone || array_agg(seq) INTO done, gone FROM deleted;
  END IF;
  WHILE cardinality(made) < wanted LOOP
    WITH deleted AS (
      DELETE FROM ${session} s USING unnest(p_kinds, p_ids, p_nows) WITH ORDINALITY AS u (kind, id, now, n)
      WHERE u.kind = 'c' AND s.id = u.id AND s.expires_at <= u.now AND ${intact('s')} AND NOT u.n = ANY (made)
      RETURNING s.seq)
    SELECT gone || array_agg(seq) INTO gone FROM deleted;
    WITH inserted AS (
      INSERT INTO ${session} (id, seq, rev, prev_rev, owner, created_at, last_accessed_at, ttl_ms, must_end_at, expires_at, sweep_at,
        head_crc, check_sum, data)
      SELECT u.id, u.seq, u.rev, u.prev_rev, u.owner, u.created, u.accessed, u.ttl, u.must_end, u.ends, u.ends,
        u.crc, ${sumOf('u.accessed', 'u.ends', 'u.seq', 'u.crc')}, u.data
      FROM (SELECT u.*, nextval('${sequence}') AS seq
        FROM ${calls}
        WHERE u.kind = 'c' AND NOT u.n = ANY (made) ORDER BY u.id COLLATE "C") u
      ON CONFLICT (id) DO NOTHING RETURNING id)
    SELECT made || array_agg(u.n) INTO made FROM inserted i JOIN unnest(p_ids) WITH ORDINALITY AS u (id, n) ON u.id = i.id;
    EXIT WHEN cardinality(made) = wanted OR NOT EXISTS (
      -- Somebody's row that has come and gone, or has expired, since this call looked: there is room after all.
      SELECT 1 FROM unnest(p_kinds, p_ids, p_nows) WITH ORDINALITY AS u (kind, id, now, n) LEFT JOIN ${session} s ON s.id = u.id
      WHERE u.kind = 'c' AND NOT u.n = ANY (made) AND (s.id IS NULL OR (s.expires_at <= u.now AND ${intact('s')})));
    rounds := rounds + 1;
    IF rounds > 20 THEN
      RAISE EXCEPTION 'mcp-session: an id changed hands all the time' USING ERRCODE = 'serialization_failure';
    END IF;
  END LOOP;
  ${removeEvents(names)}
  done := done || made;
  RETURN QUERY SELECT 0::bigint, done, ${Array.from({ length: 4 }, () => 'NULL::text').join(', ')},
    ${Array.from({ length: 6 }, () => 'NULL::bigint').join(', ')}, NULL::boolean, NULL::text;
  IF cardinality(done) < cardinality(p_ids) THEN
    RETURN QUERY SELECT u.n, NULL::bigint[], ${recordColumns('s', `CASE WHEN u.kind = 'r' THEN s.data ELSE '' END`)}
      FROM unnest(p_kinds, p_ids) WITH ORDINALITY AS u (kind, id, n) JOIN ${session} s ON s.id = u.id
      WHERE NOT u.n = ANY (done);
  END IF;
END
$mcp$`
}

/** One step of a sweep. A row whose session was extended since is filed anew; a damaged one is filed under never. */
export function sweepFunction(names: Names): string {
  const { session, log } = names
  return `CREATE FUNCTION ${names.sweep} (p_now bigint, p_limit integer, p_rows integer, p_lock_ms text)
RETURNS TABLE (o_deleted bigint, o_seen bigint)
LANGUAGE plpgsql AS $mcp$
#variable_conflict use_column
DECLARE
  due_at bigint := least(p_now, floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint);
  due text[];
  gone bigint[];
BEGIN
  ${preamble}
  SELECT array_agg(d.id) INTO due FROM (
    SELECT s.id FROM ${session} s WHERE s.sweep_at <= due_at AND s.sweep_at < ${never}
    ORDER BY s.sweep_at LIMIT greatest(p_limit, 100) FOR UPDATE SKIP LOCKED) d;
  o_seen := coalesce(cardinality(due), 0);
  UPDATE ${session} s SET sweep_at = CASE WHEN ${intact('s')} THEN s.expires_at ELSE ${never} END
    WHERE s.id = ANY (due) AND NOT (s.expires_at <= due_at AND ${intact('s')});
  WITH dead AS (
    SELECT s.id, s.seq, row_number() OVER w AS n, sum(1 + coalesce(l.held, 0)) OVER w - coalesce(l.held, 0) AS through
    FROM ${session} s LEFT JOIN ${log} l ON l.session = s.seq
    WHERE s.id = ANY (due) AND s.expires_at <= due_at AND ${intact('s')}
    WINDOW w AS (ORDER BY s.sweep_at, s.id)),
  deleted AS (
    DELETE FROM ${session} s USING dead WHERE s.id = dead.id AND dead.n <= p_limit AND dead.through <= p_rows RETURNING s.seq)
  SELECT array_agg(seq) INTO gone FROM deleted;
  o_deleted := coalesce(cardinality(gone), 0);
  ${removeEvents(names)}
  RETURN NEXT;
END
$mcp$`
}

/** One page in the order of ids. Its last row, if `o_next` is true, is where the next page begins, with the id before it in `o_rev`. */
export function listFunction(names: Names): string {
  const from = `FROM ${names.session} s WHERE s.id >= p_from AND s.id < p_to`
  const live = `(s.expires_at > p_now OR NOT ${intact('s')}) AS live`
  const end = 'ORDER BY s.id LIMIT p_limit + p_dead + 1'
  return `CREATE FUNCTION ${names.list} (p_owner text, p_from text, p_to text, p_now bigint, p_limit integer, p_data boolean, p_bytes bigint, p_dead integer)
RETURNS TABLE (o_next boolean, ${recordResults})
LANGUAGE plpgsql STABLE AS $mcp$
#variable_conflict use_column
DECLARE
  rows refcursor;
  r record;
  before text;
  listed integer := 0;
  dead integer := 0;
  bytes bigint := 0;
  size bigint;
BEGIN
  IF p_owner IS NULL THEN
    OPEN rows FOR SELECT s.*, ${intact('s')} AS intact, ${live} ${from} ${end};
  ELSE
    OPEN rows FOR SELECT s.*, ${intact('s')} AS intact, ${live} ${from} AND s.owner = p_owner ${end};
  END IF;
  LOOP
    FETCH rows INTO r;
    EXIT WHEN NOT FOUND;
    size := CASE WHEN r.live AND p_data THEN octet_length(r.data) ELSE 0 END;
    IF listed >= p_limit OR dead >= p_dead OR (listed > 0 AND bytes + size > p_bytes) THEN
      RETURN QUERY SELECT true, r.id, before, NULL::text, NULL::text, 0::bigint, 0::bigint, 0::bigint, 0::bigint, 0::bigint, 0::bigint, true, '';
      EXIT;
    END IF;
    before := r.id;
    bytes := bytes + size;
    IF r.live THEN
      listed := listed + 1;
      RETURN QUERY SELECT false, r.id, r.rev, r.prev_rev, r.owner, r.created_at, r.last_accessed_at, r.ttl_ms, r.must_end_at, r.expires_at,
        r.head_crc, r.intact, CASE WHEN p_data THEN r.data ELSE '' END;
    ELSE
      dead := dead + 1;
    END IF;
  END LOOP;
END
$mcp$`
}
