import { intact, sumOf } from './check-sum.ts'
import type { Names } from './names.ts'
import { planned, preamble, recordColumns, recordResults, removeEvents } from './record-functions.ts'

/**
 * One flush of creates (c), replaces (r), touches (t) and deletes (d), no two on one id. Two flushes never wait for each other: creates
 * come first, since they wait for nobody who has come further, and rows are taken in the order of ids. Each further statement sees
 * what was committed until then. The first result row names the calls that have done what they are for, the others what is live
 * where they have not.
 */
export function writeFunction(names: Names): string {
  const { session, sequence } = names
  const calls = `unnest(p_kinds, p_ids, p_nows, p_expected, p_revs, p_prev_revs, p_owners, p_created, p_accessed, p_ttls, p_must_ends, p_ends, p_crcs, p_data)
          WITH ORDINALITY AS u (kind, id, now, expected, rev, prev_rev, owner, created, accessed, ttl, must_end, ends, crc, data, n)`
  const inOrder = 'ORDER BY u.id COLLATE "C"'
  const kept = (column: string, replaced: string) => `(CASE u.kind WHEN 't' THEN s.${column} ELSE ${replaced} END)`
  const accessed = `(CASE u.kind WHEN 't' THEN greatest(s.last_accessed_at, u.accessed) ELSE u.accessed END)`
  const ends = `(CASE u.kind WHEN 't' THEN greatest(s.expires_at, u.ends) ELSE u.ends END)`
  const crc = kept('head_crc', 'u.crc')
  return `CREATE OR REPLACE FUNCTION ${names.write} (p_kinds text[], p_ids text[], p_nows bigint[], p_expected text[], p_revs text[], p_prev_revs text[],
  p_owners text[], p_created bigint[], p_accessed bigint[], p_ttls bigint[], p_must_ends bigint[], p_ends bigint[], p_crcs bigint[],
  p_data text[], p_lock_ms text)
RETURNS TABLE (o_n bigint, o_done bigint[], ${recordResults})
LANGUAGE plpgsql ${planned} AS $mcp$
#variable_conflict use_column
DECLARE
  done bigint[] := '{}';
  made text[] := '{}';
  gone bigint[] := '{}';
  wanted integer := cardinality(array_positions(p_kinds, 'c'));
  rounds integer := 0;
BEGIN
  ${preamble}
  WHILE cardinality(made) < wanted LOOP
    WITH inserted AS (
      INSERT INTO ${session} (id, seq, rev, prev_rev, owner, created_at, last_accessed_at, ttl_ms, must_end_at, expires_at, sweep_at,
        head_crc, check_sum, data)
      SELECT u.id, u.seq, u.rev, u.prev_rev, u.owner, u.created, u.accessed, u.ttl, u.must_end, u.ends, u.ends,
        u.crc, ${sumOf('u.accessed', 'u.ends', 'u.seq', 'u.crc')}, u.data
      FROM (SELECT u.*, nextval('${sequence}') AS seq
        FROM ${calls}
        WHERE u.kind = 'c' AND NOT u.id = ANY (made) ${inOrder}) u
      ON CONFLICT (id) DO NOTHING RETURNING id)
    SELECT made || array_agg(id) INTO made FROM inserted;
    EXIT WHEN cardinality(made) = wanted;
    WITH deleted AS (
      DELETE FROM ${session} s USING (
        SELECT u.* FROM unnest(p_kinds, p_ids, p_nows) AS u (kind, id, now) WHERE u.kind = 'c' AND NOT u.id = ANY (made) ${inOrder}) u
      WHERE s.id = u.id AND s.expires_at <= u.now AND ${intact('s')}
      RETURNING s.seq)
    SELECT gone || array_agg(seq) INTO gone FROM deleted;
    -- There may be room, too, since somebody's row has gone after this call met it.
    EXIT WHEN NOT EXISTS (
      SELECT 1 FROM unnest(p_kinds, p_ids) AS u (kind, id) LEFT JOIN ${session} s ON s.id = u.id
      WHERE u.kind = 'c' AND NOT u.id = ANY (made) AND s.id IS NULL);
    rounds := rounds + 1;
    IF rounds > 20 THEN
      RAISE EXCEPTION 'mcp-session: an id changed hands all the time' USING ERRCODE = 'serialization_failure';
    END IF;
  END LOOP;
  IF cardinality(made) > 0 THEN
    SELECT array_agg(u.n) INTO done FROM unnest(p_kinds, p_ids) WITH ORDINALITY AS u (kind, id, n)
      WHERE u.kind = 'c' AND (cardinality(made) = wanted OR u.id = ANY (made));
  END IF;
  IF p_kinds && '{r,t}' THEN
    IF 'd' = ANY (p_kinds) THEN
      -- Not the expired ones: another flush may be replacing them, which goes on to wait for creates of this one.
      PERFORM 1 FROM unnest(p_kinds, p_ids, p_nows) AS u (kind, id, now) JOIN ${session} s ON s.id = u.id
        WHERE u.kind <> 'c' AND (s.expires_at > u.now OR NOT ${intact('s')}) ORDER BY s.id FOR UPDATE OF s;
    END IF;
    WITH written AS (
      UPDATE ${session} s SET rev = ${kept('rev', 'u.rev')}, prev_rev = ${kept('prev_rev', 'u.prev_rev')},
        owner = ${kept('owner', 'u.owner')}, created_at = ${kept('created_at', 'u.created')}, last_accessed_at = ${accessed},
        ttl_ms = ${kept('ttl_ms', 'u.ttl')}, must_end_at = ${kept('must_end_at', 'u.must_end')}, expires_at = ${ends},
        sweep_at = ${kept('sweep_at', 'least(s.sweep_at, u.ends)')}, head_crc = ${crc},
        check_sum = ${sumOf(accessed, ends, 's.seq', crc)}, data = ${kept('data', 'u.data')}
      FROM (SELECT u.* FROM ${calls} WHERE u.kind IN ('r', 't') ${inOrder}) u
      WHERE s.id = u.id AND s.rev = u.expected AND s.expires_at > u.now AND ${intact('s')}
        AND (u.kind = 'r' OR s.last_accessed_at < u.accessed OR s.expires_at < u.ends)
      RETURNING u.n)
    SELECT done || array_agg(n) INTO done FROM written;
  END IF;
  IF 'd' = ANY (p_kinds) THEN
    WITH deleted AS (
      DELETE FROM ${session} s USING (
        SELECT u.* FROM unnest(p_kinds, p_ids, p_nows, p_expected) WITH ORDINALITY AS u (kind, id, now, expected, n)
        WHERE u.kind = 'd' ${inOrder}) u
      WHERE s.id = u.id AND (s.expires_at > u.now OR NOT ${intact('s')}) AND (u.expected IS NULL OR s.rev = u.expected)
      RETURNING u.n, s.seq)
    SELECT done || array_agg(n), gone || array_agg(seq) INTO done, gone FROM deleted;
  END IF;
  ${removeEvents(names)}
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
