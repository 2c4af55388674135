import type { Launch } from './keep.ts'

/** Where an engine's programs are. */
export interface Programs {
  /** How they were found, for a person to read. */
  readonly source: string
  /** What the server program says of its version. */
  readonly version: string
  /** How one of them is run; its output goes to `log`. */
  run(name: string, args: readonly string[], log: string): Launch
}

export interface Found {
  readonly source: string
  readonly version: string
  /** Added to the environment of the programs. */
  readonly env?: Readonly<Record<string, string>>
  /** The Docker image that they are in. */
  readonly image?: string
  /** The path of one of them. Absent: its name. */
  path?(name: string): string
}

export function programs({ source, version, env = {}, image, path = (name) => name }: Found): Programs {
  return {
    source,
    version,
    run: (name, args, log) => ({ argv: [path(name), ...args], env, log, ...(image === undefined ? {} : { image }) }),
  }
}
