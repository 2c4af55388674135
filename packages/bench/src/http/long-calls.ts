import { setTimeout as pause } from 'node:timers/promises'
import { fdatasyncMs } from '../fdatasync.ts'
import type { Figure } from '../figure.ts'
import { shuffled } from '../shuffle.ts'
import { medianOf, spreadOf } from '../spread.ts'
import type { Contender } from './contender.ts'
import { slowMs } from './tools.ts'

export interface LongCallsOptions {
  readonly contenders: readonly Contender[]
  readonly peer: Contender
  /** A second process of the peer: what it takes more is noise, and has no bar. */
  readonly control: Contender
  /** Milliseconds more than the peer, beside twice the `fdatasync` of the disk. */
  readonly barMs: number
  /** Where the databases are. */
  readonly folder: string
  readonly rounds: number
  readonly onRound: () => void
}

const clients = 8
const callsPerClient = 3

/** A tool that runs for a while: the adapter answers with a stream, which takes two appends to the log; the peer with JSON. */
export async function longCalls({ contenders, peer, control, barMs, folder, rounds, onRound }: LongCallsOptions): Promise<Figure[]> {
  const excess = new Map(contenders.map((contender) => [contender, [] as number[]]))
  const syncs: number[] = []
  for (let round = 0; round < rounds; round += 1) {
    syncs.push(await fdatasyncMs(folder))
    const took = new Map<Contender, number>()
    for (const contender of shuffled(contenders)) took.set(contender, medianOf(await measure(contender)))
    for (const [contender, values] of excess) values.push((took.get(contender) ?? Number.NaN) - (took.get(peer) ?? Number.NaN))
    onRound()
  }
  const what = `tool that runs ${slowMs} ms (stream, two appends), more than the SDK`
  const bar = barMs + 2 * medianOf(syncs)
  const figures = [...excess].filter(([contender]) => contender !== peer)
  return [
    { what: 'fdatasync of 4 KiB on this disk', who: 'node:fs', unit: 'ms', ...spreadOf(syncs) },
    ...figures.map(([contender, values]): Figure => {
      return { what, who: contender.name, unit: 'ms', ...spreadOf(values), ...(contender === control ? {} : { bar }) }
    }),
  ]
}

/** Spread over the time that a call takes, so that the answers do not come all at once. */
async function measure({ clients: all, slowAs }: Contender): Promise<number[]> {
  const took: number[] = []
  await Promise.all(
    all.slice(0, clients).map(async (client, index) => {
      await pause((slowMs / clients) * index)
      for (let call = 0; call < callsPerClient; call += 1) took.push(await client.call('slow', slowAs))
    }),
  )
  return took
}
