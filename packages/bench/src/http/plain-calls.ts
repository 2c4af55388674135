import type { Figure } from '../figure.ts'
import { shuffled } from '../shuffle.ts'
import { medianOf, spreadOf } from '../spread.ts'
import type { BenchClient } from './client.ts'
import type { Contender } from './contender.ts'

export interface PlainCallsOptions {
  readonly contenders: readonly Contender[]
  readonly peer: Contender
  /** What each may take, as a multiple of what the peer takes in the same round; by name, none for those that are left out. */
  readonly bars: Readonly<Record<string, number>>
  readonly rounds: number
  /** How long each contender is asked in each round and for each number in flight. */
  readonly seconds: number
  readonly onRound: () => void
}

interface Cost {
  /** Milliseconds per call: with one in flight as its client sees it, with several as they come out of the server. */
  readonly callMs: number
  readonly cpuMs: number
}

const slicesPerRound = 8
const inFlight = [1, 16] as const

/** A tool that writes nothing, from one client and from many at once. */
export async function plainCalls(options: PlainCallsOptions): Promise<Figure[]> {
  const { contenders, peer, bars, rounds, onRound } = options
  const figures: Figure[] = []
  for (const clients of inFlight) {
    await measureRound(options, clients)
    const costs: ReadonlyMap<Contender, Cost>[] = []
    for (let round = 0; round < rounds; round += 1) {
      costs.push(await measureRound(options, clients))
      onRound()
    }
    const told = (name: string) => (bars[name] === undefined ? {} : { bar: bars[name] })
    for (const contender of contenders) {
      const what = `tool that writes nothing, ${clients} in flight`
      const values = costs.map((round) => costOf(round, contender).callMs)
      if (contender === peer) figures.push({ what, who: peer.name, unit: 'ms', ...spreadOf(values) })
      else figures.push({ what, who: contender.name, unit: 'times', ...ratios(costs, contender, peer, 'callMs'), ...told(contender.name) })
    }
    if (clients === 1) continue
    for (const contender of contenders.filter((other) => other !== peer)) {
      const what = 'the same, processor time of the server'
      figures.push({ what, who: contender.name, unit: 'times', ...ratios(costs, contender, peer, 'cpuMs') })
    }
  }
  return figures
}

function ratios(costs: readonly ReadonlyMap<Contender, Cost>[], contender: Contender, peer: Contender, part: keyof Cost) {
  return spreadOf(costs.map((round) => costOf(round, contender)[part] / costOf(round, peer)[part]))
}

function costOf(costs: ReadonlyMap<Contender, Cost>, contender: Contender): Cost {
  return costs.get(contender) ?? { callMs: Number.NaN, cpuMs: Number.NaN }
}

/** In many short slices, in another order each time: what disturbs the machine for a while disturbs all alike. */
async function measureRound({ contenders, seconds }: PlainCallsOptions, clients: number): Promise<ReadonlyMap<Contender, Cost>> {
  const measured = new Map(contenders.map((contender) => [contender, { calls: [] as number[], wallMs: 0, cpuMs: 0 }]))
  for (let slice = 0; slice < slicesPerRound; slice += 1) {
    for (const [contender, sums] of shuffled([...measured])) {
      const cpuBefore = await contender.cpuMs()
      const began = performance.now()
      const until = began + (seconds * 1_000) / slicesPerRound
      await Promise.all(contender.clients.slice(0, clients).map((client) => callUntil(client, until, sums.calls)))
      sums.wallMs += performance.now() - began
      sums.cpuMs += (await contender.cpuMs()) - cpuBefore
    }
  }
  return new Map(
    [...measured].map(([contender, { calls, wallMs, cpuMs }]) => [
      contender,
      { callMs: clients === 1 ? medianOf(calls) : wallMs / calls.length, cpuMs: cpuMs / calls.length },
    ]),
  )
}

async function callUntil(client: BenchClient, until: number, calls: number[]): Promise<void> {
  do calls.push(await client.call('nothing'))
  while (performance.now() < until)
}
