/** What a process under load is asked, see `outage-client.ts`. Instants are of the clock of the host, in milliseconds. */
export type OutageRequest =
  | { readonly do: 'begin'; readonly rate: number }
  /** The outage begins: what memory is taken from here on is growth. */
  | { readonly do: 'mark' }
  /** Offers nothing more, and waits for what is open. `returnedAt`: when the engine was back. */
  | { readonly do: 'finish'; readonly returnedAt: number }

export interface OutageReport {
  readonly calls: number
  readonly offeredPerSecond: number
  readonly succeeded: number
  /** Failures by code, or by text where they have none. */
  readonly failures: Readonly<Record<string, number>>
  /** Calls that never settled. */
  readonly hanging: number
  /** Calls that settled later than their deadline and 100 ms, stalls of the loop taken off; by how much at most. */
  readonly late: number
  readonly latestMs: number
  /** Until a surplus read was refused, stalls taken off. */
  readonly refusedMsP99: number
  readonly refusedMsMax: number
  /** Writes take several steps: they can be refused after some of them, or after waiting for others of their session. */
  readonly refusedWriteMsMax: number
  readonly mostOpen: number
  /** From the return to the first success of a read and of a write that began after it; null: none did. */
  readonly firstReadMs: number | null
  readonly firstWriteMs: number | null
  readonly stallMsMax: number
  readonly stallMsTotal: number
  readonly rssGrowthMb: number
  readonly heapGrowthMb: number
  /** Unhandled rejections, uncaught errors and warnings of the process. */
  readonly complaints: readonly string[]
}
