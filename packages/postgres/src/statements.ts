import type { Names } from './names.ts'
import { recordColumns } from './record-functions.ts'
import type { Statement } from './wire.ts'

/** Everything that is said to the engine while the store is open, beside a health check. */
export interface Statements {
  readonly write: Statement
  readonly get: Statement
  /** For a lone id: its plan does not depend on how many there are, so the engine makes it once. */
  readonly getOne: Statement
  /** The same where some callers know a rev: what they know is not sent again. */
  readonly getKnown: Statement
  readonly getOneKnown: Statement
  readonly list: Statement
  readonly sweep: Statement
  readonly append: Statement
  readonly read: Statement
  readonly restore: Statement
  readonly publish: Statement
}

/** `relaxed`: for its own transaction a statement that writes asks the engine not to wait for the disk. */
export function statementsOn(names: Names, relaxed: boolean): Statements {
  const mode = relaxed ? `(SELECT set_config('synchronous_commit', 'off', true)) AS mode, ` : ''
  const parameters = (types: readonly string[]) => types.map((type, index) => `$${index + 1}::${type}`).join(', ')
  const call = (name: string, what: string, types: readonly string[]) => ({
    name: `mcp-session ${what}`,
    text: `SELECT f.* FROM ${mode}${name}(${parameters(types)}) AS f`,
  })
  const texts = 'text[]'
  const numbers = 'bigint[]'
  return {
    write: call(names.write, 'write', [
      ...[texts, texts, numbers, texts, texts, texts, texts],
      ...[numbers, numbers, numbers, numbers, numbers, numbers, texts, 'text'],
    ]),
    get: {
      name: 'mcp-session get',
      text: `SELECT ${recordColumns('s', 's.data')} FROM ${names.session} s WHERE s.id = ANY ($1::text[])`,
    },
    getOne: {
      name: 'mcp-session get one',
      text: `SELECT ${recordColumns('s', 's.data')} FROM ${names.session} s WHERE s.id = $1::text`,
    },
    getKnown: {
      name: 'mcp-session get known',
      text: `SELECT f.* FROM ${names.get}(${parameters([texts, texts, numbers, numbers])}) AS f`,
    },
    getOneKnown: {
      name: 'mcp-session get one known',
      text: `SELECT ${recordColumns('s', 'CASE WHEN s.rev = $2::text THEN NULL ELSE s.data END')} FROM ${names.session} s WHERE s.id = $1::text`,
    },
    list: {
      name: 'mcp-session list',
      text: `SELECT f.* FROM ${names.list}(${parameters(['text', 'text', 'text', 'bigint', 'integer', 'boolean', 'bigint', 'integer'])}) AS f`,
    },
    sweep: call(names.sweep, 'sweep', ['bigint', 'integer', 'integer', 'text']),
    append: call(names.append, 'append', [texts, numbers, texts, texts, texts, numbers, numbers, numbers, numbers, 'text']),
    read: {
      name: 'mcp-session read',
      text: `SELECT q.n, f.* FROM unnest(${parameters([texts, numbers, texts, numbers, numbers, numbers])})
        WITH ORDINALITY AS q (id, now, streams, after, most, oldest_at, n)
        CROSS JOIN LATERAL ${names.read}(q.id, q.now, q.streams, q.after, q.most, q.oldest_at, $7::bigint) AS f`,
    },
    restore: call(names.restore, 'restore', ['text', 'bigint', numbers, texts, texts, numbers, texts, 'bigint', 'bigint', 'text']),
    publish: {
      name: 'mcp-session publish',
      text: 'SELECT pg_notify(n.channel, n.payload) FROM unnest($1::text[], $2::text[]) AS n (channel, payload)',
    },
  }
}
