import type { BackendHealth, Call, HealthWarning } from '@mcp-session/core/backend'
import type { Names } from './names.ts'
import type { Row, Wire } from './wire.ts'

/** Dead rows beyond this, and more than the live ones, are not being vacuumed. */
const manyDeadRows = 50_000

/** What an operator should know, and the engine's clock. */
export async function healthOf(wire: Wire, names: Names, isHeard: boolean | undefined, call: Call): Promise<BackendHealth> {
  const text = `SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint, pg_is_in_recovery(), current_setting('fsync'),
    current_setting('synchronous_commit'), current_setting('full_page_writes'), current_setting('autovacuum'), c.relpersistence, t.n_dead_tup, t.n_live_tup
    FROM pg_class c LEFT JOIN pg_stat_all_tables t ON t.relid = c.oid WHERE c.oid = $1::regclass`
  const [row = []] = await wire.read({ name: 'mcp-session health', text }, [names.session], [call])
  return { engineNow: Number(row[0]), warnings: warningsIn(row, isHeard) }
}

function warningsIn(
  [, recovery, fsync, commit, pages, autovacuum, persistence, dead, live]: Row,
  isHeard: boolean | undefined,
): HealthWarning[] {
  const found: (HealthWarning | false)[] = [
    isHeard === false &&
      warning('no-signals', 'Signals do not arrive, as behind a pooler: give listenUrl. Until then nodes find news by polling'),
    recovery === 't' && warning('standby', 'The engine is a standby: it refuses every write. Connect to the primary'),
    persistence === 'u' && warning('unlogged', 'The tables are unlogged: a crash of the engine empties them'),
    fsync === 'off' && warning('fsync-off', 'fsync is off: a power cut may damage the whole database'),
    pages === 'off' && warning('full-page-writes-off', 'full_page_writes is off: a power cut may damage the whole database'),
    commit === 'off' && warning('synchronous-commit-off', 'synchronous_commit is off: a crash takes the last acknowledged writes'),
    autovacuum === 'off' && warning('autovacuum-off', 'autovacuum is off: the tables grow without end'),
    Number(dead) > Math.max(manyDeadRows, Number(live)) &&
      warning('dead-rows', `The table of sessions has ${dead} dead rows: autovacuum does not keep up, or a long transaction holds it back`),
  ]
  return found.filter((entry) => entry !== false)
}

function warning(code: string, message: string): HealthWarning {
  return { code: `postgres-${code}`, message }
}
