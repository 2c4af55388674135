import { type RunningNode, startNode, startRoundRobin } from '@mcp-session/test-processes'

/** What the suite is run against. */
export interface Target {
  readonly name: string
  /** SDK major of each node; several stand behind a load balancer that gives each request to the next one. */
  readonly nodes: readonly Major[]
  /** The SDK's own transport. */
  readonly stock?: boolean
  readonly answers: 'streams' | 'json'
}

export type Major = 'v1' | 'v2'

export interface RunningTarget extends AsyncDisposable {
  readonly url: string
  /** HTTP requests of each node so far; empty without a load balancer. */
  requests(): readonly number[]
}

const script = new URL('./main.ts', import.meta.url)

/** Starts the processes of a target. `path` is the SQLite file that they have in common. */
export async function startTarget({ nodes, stock = false, answers }: Target, path: string): Promise<RunningTarget> {
  const started: AsyncDisposable[] = []
  async function stop(): Promise<void> {
    await Promise.all(started.map((one) => one[Symbol.asyncDispose]()))
  }
  try {
    const ports: number[] = []
    // One after the other: the first one makes the file.
    for (const sdk of nodes) {
      const args = ['--sdk', sdk, '--answers', answers, ...(stock ? ['--stock'] : ['--backend', `sqlite:${path}`])]
      const node = await startNode({ script, args, ready: /^listening on / })
      started.push(node)
      ports.push(portOf(node))
    }
    const proxy = ports.length > 1 ? await startRoundRobin({ targets: ports }) : undefined
    if (proxy !== undefined) started.unshift(proxy)
    return {
      url: `${proxy?.url ?? `http://127.0.0.1:${ports[0]}`}/mcp`,
      requests: () => [...(proxy?.counts ?? [])],
      [Symbol.asyncDispose]: stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

function portOf(node: RunningNode): number {
  return Number(new URL(node.readyLine.replace('listening on ', '')).port)
}
