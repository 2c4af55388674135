/** The quoted names of everything that a store has in its schema, and that of the schema itself as it is. */
export interface Names {
  readonly schema: string
  readonly plainSchema: string
  readonly session: string
  readonly event: string
  readonly log: string
  readonly trim: string
  readonly version: string
  /** Gives every session its `seq`. */
  readonly sequence: string
  readonly write: string
  readonly get: string
  readonly sweep: string
  readonly list: string
  readonly append: string
  readonly read: string
  readonly restore: string
}

/** `schema` is checked already, see `options.ts`, and quoted all the same. */
export function namesIn(schema: string): Names {
  const quoted = `"${schema.replaceAll('"', '""')}"`
  const inSchema = (name: string) => `${quoted}.${name}`
  return {
    schema: quoted,
    plainSchema: schema,
    session: inSchema('mcp_session'),
    event: inSchema('mcp_session_event'),
    log: inSchema('mcp_session_log'),
    trim: inSchema('mcp_session_trim'),
    version: inSchema('mcp_session_version'),
    sequence: inSchema('mcp_session_seq'),
    write: inSchema('mcp_session_write'),
    get: inSchema('mcp_session_get'),
    sweep: inSchema('mcp_session_sweep'),
    list: inSchema('mcp_session_list'),
    append: inSchema('mcp_session_append'),
    read: inSchema('mcp_session_read'),
    restore: inSchema('mcp_session_restore'),
  }
}
