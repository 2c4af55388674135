/** The table that a peer without one of its own would make, in a schema of its own. */
export function sessionTable(schema: string): string {
  return `
    CREATE SCHEMA ${schema};
    CREATE TABLE ${schema}.sessions (
      id text PRIMARY KEY, version integer NOT NULL, created_at timestamptz NOT NULL, expires_at timestamptz NOT NULL, data text NOT NULL
    );
    CREATE INDEX ON ${schema}.sessions (expires_at);
  `
}
