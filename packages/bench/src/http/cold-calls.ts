import type { Figure } from '../figure.ts'
import { shuffled } from '../shuffle.ts'
import { medianOf, spreadOf } from '../spread.ts'
import { knownClient, newConnection, openClient } from './client.ts'
import { type Contender, type ContenderOptions, startContender } from './contender.ts'

export interface ColdCallsOptions {
  /** Where sessions are made. */
  readonly home: Contender
  /** Another node on the same store. */
  readonly node: Omit<ContenderOptions, 'clients' | 'name'>
  readonly peer: Omit<ContenderOptions, 'clients' | 'name'>
  /** Milliseconds more. */
  readonly barMs: number
  readonly rounds: number
  readonly onRound: () => void
}

const sessionsPerRound = 20

/** Sessions that come to a node which has never seen them, and what a process that has just started takes for its first answer. */
export async function coldCalls({ home, node, peer, barMs, rounds, onRound }: ColdCallsOptions): Promise<Figure[]> {
  const restored: number[] = []
  const started: number[] = []
  for (let round = 0; round < rounds; round += 1) {
    const sessions = await Promise.all(Array.from({ length: sessionsPerRound + 1 }, () => newSession(home)))
    const first = new Map<string, number>()
    for (const name of shuffled(['ours', 'the peer'])) {
      if (name === 'the peer') {
        first.set(name, await firstAnswerOfPeer(peer))
        continue
      }
      await using other = await startContender({ ...node, name, clients: 0 })
      const [firstSession = '', ...others] = sessions
      first.set(name, await timeOf(() => knownClient(other.port, firstSession).call('nothing')))
      restored.push(await restoring(other, others))
    }
    started.push((first.get('ours') ?? Number.NaN) - (first.get('the peer') ?? Number.NaN))
    onRound()
  }
  return [
    {
      what: 'first call of a session on another node, more than the second',
      who: home.name,
      unit: 'ms',
      ...spreadOf(restored),
      bar: barMs,
    },
    {
      what: 'first answer of a just started process, more than the SDK and its initialize',
      who: home.name,
      unit: 'ms',
      ...spreadOf(started),
      bar: barMs,
    },
  ]
}

async function newSession({ port }: Contender): Promise<string> {
  const client = await openClient(port)
  client.close()
  return client.sessionId
}

async function restoring({ port }: Contender, sessions: readonly string[]): Promise<number> {
  const connection = newConnection()
  const excess: number[] = []
  for (const sessionId of sessions) {
    const client = knownClient(port, sessionId, connection)
    const first = await client.call('nothing')
    excess.push(first - (await client.call('nothing')))
  }
  connection.destroy()
  return medianOf(excess)
}

/** It knows no session of before: its clients have to begin anew. */
async function firstAnswerOfPeer(peer: ColdCallsOptions['peer']): Promise<number> {
  await using fresh = await startContender({ ...peer, name: 'fresh', clients: 0 })
  return await timeOf(async () => {
    const client = await openClient(fresh.port)
    await client.call('nothing')
    client.close()
  })
}

async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  await work()
  return performance.now() - began
}
