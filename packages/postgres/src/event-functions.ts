import { intact } from './check-sum.ts'
import type { Names } from './names.ts'
import { preamble } from './record-functions.ts'

/** A session that opens a stream per request names new ones for ever, so the oldest trimmed ones are remembered together only. */
const maxTrimmedStreams = 4_096

/** Locks the log row of a session, making it if need be: whoever has it alone gives out sequences, so they become visible in order. */
function lockLog({ log }: Names, seq: string): string {
  return `SELECT * INTO l FROM ${log} WHERE session = ${seq} FOR UPDATE;
    IF NOT FOUND THEN
      INSERT INTO ${log} VALUES (${seq}, 0, 1, 1, 0, 0, 0, 0) ON CONFLICT DO NOTHING;
      SELECT * INTO l FROM ${log} WHERE session = ${seq} FOR UPDATE;
    END IF;`
}

const saveLog = (
  names: Names,
): string => `UPDATE ${names.log} SET last = l.last, oldest = l.oldest, oldest_internal = l.oldest_internal, held = l.held,
      counted = l.counted, bytes = l.bytes, trimmed_through = l.trimmed_through WHERE session = l.session;`

/**
 * One flush of appends, in the order of ids. The lock on the session keeps a delete out until the commit, and one that a delete holds
 * is waited for: no event outlives its session.
 */
export function appendFunction(names: Names): string {
  const { session, event, trim } = names
  const remove = `DELETE FROM ${event} WHERE session = l.session AND sequence = e.sequence;
        INSERT INTO ${trim} VALUES (l.session, e.stream, e.sequence)
          ON CONFLICT (session, stream) DO UPDATE SET trimmed_through = greatest(${trim}.trimmed_through, excluded.trimmed_through);
        l.held := l.held - 1;`
  const oldest = (from: string) => `SELECT v.sequence, v.stream, v.created_at, octet_length(v.data) AS size FROM ${event} v
        WHERE v.session = l.session AND v.sequence >= ${from} AND v.sequence < l.last ORDER BY v.sequence`
  return `CREATE FUNCTION ${names.append} (p_ids text[], p_nows bigint[], p_keys text[], p_streams text[], p_data text[], p_max_events bigint[],
  p_oldest_at bigint[], p_max_bytes bigint[], p_oldest_internal_at bigint[], p_lock_ms text)
RETURNS TABLE (o_n bigint, o_sequence bigint, o_intact boolean)
LANGUAGE plpgsql AS $mcp$
#variable_conflict use_column
DECLARE
  u record;
  s record;
  e record;
  l ${names.log}%ROWTYPE;
BEGIN
  ${preamble}
  FOR u IN SELECT * FROM unnest(p_ids, p_nows, p_keys, p_streams, p_data, p_max_events, p_oldest_at, p_max_bytes, p_oldest_internal_at)
      WITH ORDINALITY AS c (id, now, key, stream, data, max_events, oldest_at, max_bytes, oldest_internal_at, n) ORDER BY c.id COLLATE "C", c.n
  LOOP
    o_n := u.n;
    o_sequence := NULL;
    SELECT s.seq, s.expires_at, ${intact('s')} AS intact INTO s FROM ${session} s WHERE s.id = u.id FOR KEY SHARE;
    o_intact := coalesce(s.intact, true);
    IF s.seq IS NULL OR NOT s.intact OR s.expires_at <= u.now THEN
      RETURN NEXT;
      CONTINUE;
    END IF;
    ${lockLog(names, 's.seq')}
    SELECT sequence INTO o_sequence FROM ${event} WHERE session = l.session AND key = u.key;
    IF FOUND THEN
      RETURN NEXT;
      CONTINUE;
    END IF;
    l.last := l.last + 1;
    o_sequence := l.last;
    INSERT INTO ${event} (session, sequence, key, stream, created_at, data) VALUES (l.session, l.last, u.key, u.stream, u.now, u.data);
    l.held := l.held + 1;
    IF NOT starts_with(u.stream, '!') THEN
      l.counted := l.counted + 1;
      l.bytes := l.bytes + octet_length(u.data);
    END IF;
    FOR e IN ${oldest('l.oldest')} LOOP
      IF NOT starts_with(e.stream, '!') THEN
        EXIT WHEN l.counted <= u.max_events AND l.bytes <= u.max_bytes AND e.created_at >= u.oldest_at;
        ${remove}
        l.counted := l.counted - 1;
        l.bytes := l.bytes - e.size;
      END IF;
      l.oldest := e.sequence + 1;
    END LOOP;
    IF u.oldest_internal_at IS NOT NULL THEN
      FOR e IN ${oldest('l.oldest_internal')} LOOP
        IF starts_with(e.stream, '!') THEN
          EXIT WHEN e.created_at >= u.oldest_internal_at;
          ${remove}
        END IF;
        l.oldest_internal := e.sequence + 1;
      END LOOP;
    END IF;
    -- Now and then, since it looks at all of the session's trimmed streams.
    IF l.last % 256 = 0 THEN
      SELECT trimmed_through INTO e FROM ${trim} WHERE session = l.session ORDER BY trimmed_through DESC LIMIT 1 OFFSET ${maxTrimmedStreams};
      IF FOUND THEN
        DELETE FROM ${trim} WHERE session = l.session AND trimmed_through <= e.trimmed_through;
        l.trimmed_through := greatest(l.trimmed_through, e.trimmed_through);
      END IF;
    END IF;
    ${saveLog(names)}
    RETURN NEXT;
  END LOOP;
END
$mcp$`
}

/** One page of one session's events, of a single state. The first row is the page's own; without it the session is not live. */
export function readFunction(names: Names): string {
  const { session, event, log, trim } = names
  const asked = '(streams IS NULL OR v.stream = ANY (streams))'
  return `CREATE FUNCTION ${names.read} (p_id text, p_now bigint, p_streams text, p_after bigint, p_limit bigint, p_oldest_at bigint, p_bytes bigint)
RETURNS TABLE (o_sequence bigint, o_key text, o_stream text, o_created_at bigint, o_data text, o_trimmed boolean, o_intact boolean)
LANGUAGE plpgsql STABLE AS $mcp$
#variable_conflict use_column
DECLARE
  streams text[];
  s record;
  l record;
BEGIN
  SELECT s.seq, s.expires_at, ${intact('s')} AS intact INTO s FROM ${session} s WHERE s.id = p_id;
  IF NOT FOUND OR (s.intact AND s.expires_at <= p_now) THEN
    RETURN;
  END IF;
  IF p_streams IS NOT NULL THEN
    streams := ARRAY(SELECT json_array_elements_text(p_streams::json));
  END IF;
  SELECT last, trimmed_through INTO l FROM ${log} WHERE session = s.seq;
  o_sequence := coalesce(l.last, 0);
  o_intact := s.intact;
  o_trimmed := p_after > o_sequence OR p_after < coalesce(l.trimmed_through, 0)
    OR EXISTS (SELECT 1 FROM ${trim} v WHERE v.session = s.seq AND v.trimmed_through > p_after AND ${asked})
    OR EXISTS (SELECT 1 FROM ${event} v WHERE v.session = s.seq AND v.sequence > p_after AND v.created_at < p_oldest_at AND ${asked});
  RETURN NEXT;
  RETURN QUERY SELECT w.sequence, w.key, w.stream, w.created_at, w.data, NULL::boolean, NULL::boolean FROM (
    SELECT v.*, sum(octet_length(v.data)) OVER sized AS through, row_number() OVER sized AS n FROM (
      SELECT v.* FROM ${event} v WHERE v.session = s.seq AND v.sequence > p_after AND v.created_at >= p_oldest_at AND ${asked}
      ORDER BY v.sequence LIMIT p_limit) v
    WINDOW sized AS (ORDER BY v.sequence)) w
  WHERE w.through <= p_bytes OR w.n = 1 ORDER BY w.sequence;
END
$mcp$`
}

/** Adds the events of a page under the sequences that they have. */
export function restoreFunction(names: Names): string {
  const { session, event } = names
  return `CREATE FUNCTION ${names.restore} (p_id text, p_now bigint, p_sequences bigint[], p_keys text[], p_streams text[], p_created bigint[],
  p_data text[], p_last bigint, p_gone_through bigint, p_lock_ms text)
RETURNS TABLE (o_restored boolean, o_intact boolean)
LANGUAGE plpgsql AS $mcp$
#variable_conflict use_column
DECLARE
  s record;
  a record;
  l ${names.log}%ROWTYPE;
BEGIN
  ${preamble}
  SELECT s.seq, s.expires_at, ${intact('s')} AS intact INTO s FROM ${session} s WHERE s.id = p_id FOR KEY SHARE;
  o_intact := coalesce(s.intact, true);
  o_restored := s.seq IS NOT NULL AND s.intact AND s.expires_at > p_now;
  IF o_restored THEN
    ${lockLog(names, 's.seq')}
    WITH added AS (
      INSERT INTO ${event} (session, sequence, key, stream, created_at, data)
      SELECT l.session, u.sequence, u.key, u.stream, u.created, u.data
      FROM unnest(p_sequences, p_keys, p_streams, p_created, p_data) WITH ORDINALITY AS u (sequence, key, stream, created, data, n) ORDER BY u.n
      ON CONFLICT DO NOTHING RETURNING sequence, stream, octet_length(data) AS size)
    SELECT count(*) AS held, coalesce(min(sequence), l.oldest) AS oldest, coalesce(min(sequence), l.oldest_internal) AS oldest_internal,
      count(*) FILTER (WHERE NOT starts_with(stream, '!')) AS counted,
      coalesce(sum(size) FILTER (WHERE NOT starts_with(stream, '!')), 0) AS bytes INTO a FROM added;
    l.last := greatest(l.last, p_last);
    l.oldest := least(l.oldest, a.oldest);
    l.oldest_internal := least(l.oldest_internal, a.oldest_internal);
    l.held := l.held + a.held;
    l.counted := l.counted + a.counted;
    l.bytes := l.bytes + a.bytes;
    l.trimmed_through := greatest(l.trimmed_through, p_gone_through);
    ${saveLog(names)}
  END IF;
  RETURN NEXT;
END
$mcp$`
}
