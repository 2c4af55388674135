import { type RunningNode, startNode } from '@mcp-session/test-processes'
import { type BenchClient, openClient } from './client.ts'
import type { Major } from './tools.ts'

/** A server of the comparison, in a process of its own, with clients that have their sessions. */
export interface Contender extends AsyncDisposable {
  readonly name: string
  readonly port: number
  readonly clients: readonly BenchClient[]
  /** How its calls of the tool `slow` are answered. */
  readonly slowAs: 'json' | 'stream'
  /** Processor time of the server process so far, in milliseconds. */
  cpuMs(): Promise<number>
}

export interface ContenderOptions {
  readonly name: string
  /** Path of the built server. */
  readonly script: string
  readonly sdk: Major
  /** `stock`, `memory`, or `sqlite:<path>`. */
  readonly sessions: string
  /** Writes an access at most that often, in milliseconds; default: the adapter's. */
  readonly touchMs?: number
  readonly clients: number
}

export async function startContender({ name, script, sdk, sessions, touchMs, clients }: ContenderOptions): Promise<Contender> {
  const touch = touchMs === undefined ? [] : ['--touch', String(touchMs)]
  const node = await startNode({ script, args: ['--sdk', sdk, '--sessions', sessions, ...touch], ready: /listening on (\d+)/ })
  const port = Number(/\d+$/.exec(node.readyLine)?.[0])
  const opened = await openClients(node, port, clients)
  let questions = 0
  return {
    name,
    port,
    clients: opened,
    slowAs: sessions === 'stock' ? 'json' : 'stream',
    async cpuMs() {
      questions += 1
      const question = questions
      node.send(question)
      const answer = await node.message((message): message is CpuAnswer => isCpuAnswer(message) && message.question === question)
      return answer.cpuMs
    },
    async [Symbol.asyncDispose]() {
      for (const client of opened) client.close()
      await node.kill()
    },
  }
}

async function openClients(node: RunningNode, port: number, count: number): Promise<BenchClient[]> {
  try {
    return await Promise.all(Array.from({ length: count }, () => openClient(port)))
  } catch (error) {
    await node.kill()
    throw error
  }
}

interface CpuAnswer {
  readonly question: number
  readonly cpuMs: number
}

function isCpuAnswer(message: unknown): message is CpuAnswer {
  return typeof message === 'object' && message !== null && 'question' in message && 'cpuMs' in message
}
