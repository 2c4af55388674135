/** Calls of a client on one set of ids, which is then left: short histories are checked fast. */
export const callsPerWindow = 12
export const idsPerWindow = 8

export function idOf(name: string, window: number, number: number): string {
  return `s_${name}.${window}.${number}`
}

export interface LinRequest {
  /** Begins every id, and every rev with the process's number. */
  readonly name: string
  readonly process: number
  readonly seed: number
  readonly clients: number
  readonly calls: number
  readonly ledger: string
}

/** Reads each of the ids once, however long the engine takes to be back. */
export interface LookRequest {
  readonly look: readonly string[]
  readonly ledger: string
}
