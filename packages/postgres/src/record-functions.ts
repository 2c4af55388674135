import { intact, never } from './check-sum.ts'
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
export const recordResults =
  'o_id text, o_rev text, o_prev_rev text, o_owner text, o_created_at bigint, o_last_accessed_at bigint, o_ttl_ms bigint, o_must_end_at bigint, o_expires_at bigint, o_head_crc bigint, o_intact boolean, o_data text'

/** Ends the events of the sessions in `gone`. Only a session with a log row has any. */
export function removeEvents({ log, event, trim }: Names): string {
  return `IF cardinality(gone) > 0 THEN
    WITH logs AS (DELETE FROM ${log} WHERE session = ANY (gone) RETURNING session) SELECT array_agg(session) INTO gone FROM logs;
    IF gone IS NOT NULL THEN
      DELETE FROM ${event} WHERE session = ANY (gone);
      DELETE FROM ${trim} WHERE session = ANY (gone);
    END IF;
  END IF;`
}

/**
 * A function plans its statements once per connection, where otherwise each flush would plan them anew. The plan walks the index: one
 * that suits the few rows of a young store would read all of a grown one.
 */
export const planned =
  'SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off'

/**
 * One flush of reads, some by callers who know a rev and its instants. A session that is as it is known has no row in the result; a
 * call with no session has one of nothing but nulls and its number. `o_data` is null where the rev is known.
 */
export function getFunction({ get, session }: Names): string {
  return `CREATE OR REPLACE FUNCTION ${get} (p_ids text[], p_revs text[], p_accessed bigint[], p_ends bigint[])
RETURNS TABLE (o_n bigint, ${recordResults})
LANGUAGE plpgsql STABLE ${planned} AS $mcp$
#variable_conflict use_column
BEGIN
  RETURN QUERY SELECT u.n, ${recordColumns('s', 'CASE WHEN s.rev = u.rev THEN NULL ELSE s.data END')}
    FROM unnest(p_ids, p_revs, p_accessed, p_ends) WITH ORDINALITY AS u (id, rev, accessed, ends, n) LEFT JOIN ${session} s ON s.id = u.id
    WHERE (s.rev = u.rev AND s.last_accessed_at = u.accessed AND s.expires_at = u.ends AND ${intact('s')}) IS NOT TRUE;
END
$mcp$`
}

/**
 * One step of a sweep. A row whose session was extended since is filed anew; a damaged one is filed under never. The first statement
 * judges and locks: until the end of the transaction nobody moves these rows, so that the others find them by their places.
 */
export function sweepFunction(names: Names): string {
  const { session, log } = names
  return `CREATE OR REPLACE FUNCTION ${names.sweep} (p_now bigint, p_limit integer, p_rows integer, p_lock_ms text)
RETURNS TABLE (o_deleted bigint, o_seen bigint)
LANGUAGE plpgsql ${planned} AS $mcp$
#variable_conflict use_column
DECLARE
  due_at bigint := least(p_now, floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint);
  early tid[];
  due tid[];
  gone bigint[];
BEGIN
  ${preamble}
  SELECT count(*), array_agg(d.place) FILTER (WHERE NOT d.dead), array_agg(d.place) FILTER (WHERE d.dead),
      array_agg(d.seq) FILTER (WHERE d.dead) INTO o_seen, early, due, gone
    FROM (SELECT s.ctid AS place, s.seq, s.expires_at <= due_at AND ${intact('s')} AS dead
      FROM ${session} s WHERE s.sweep_at <= due_at AND s.sweep_at < ${never}
      ORDER BY s.sweep_at LIMIT greatest(p_limit, 100) FOR UPDATE SKIP LOCKED) d;
  IF early IS NOT NULL THEN
    UPDATE ${session} s SET sweep_at = CASE WHEN ${intact('s')} THEN s.expires_at ELSE ${never} END WHERE s.ctid = ANY (early);
  END IF;
  SELECT array_agg(d.place), array_agg(d.seq) INTO due, gone
    FROM (SELECT u.place, u.seq, u.n, sum(1 + coalesce(l.held, 0)) OVER (ORDER BY u.n) - coalesce(l.held, 0) AS through
      FROM unnest(due, gone) WITH ORDINALITY AS u (place, seq, n) LEFT JOIN ${log} l ON l.session = u.seq) d
    WHERE d.n <= p_limit AND d.through <= p_rows;
  DELETE FROM ${session} s WHERE s.ctid = ANY (due);
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
