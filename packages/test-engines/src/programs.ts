/** Where an engine's programs are. */
export interface Programs {
  /** How they were found, for a person to read. */
  readonly source: string
  /** What the server program says of its version. */
  readonly version: string
  /** The absolute path of one of them. */
  path(name: string): string
  /** What their environment needs besides. */
  readonly env: Readonly<Record<string, string>>
}
