import { setTimeout as pause } from 'node:timers/promises'
import type { Engine } from './engine.ts'
import { startKeeper } from './keep.ts'
import { startRedisNode } from './redis.ts'
import { redisPrograms } from './redis-programs.ts'
import { redisReply } from './redis-reply.ts'
import { searchOf } from './search.ts'

/** Three masters that share all slots, without replicas. */
export interface RedisCluster extends AsyncDisposable {
  readonly nodes: readonly Engine[]
  /** Of the first node. */
  readonly url: string
  /** Resolves when every node says that all slots are served: after `start` of a node that takes a little longer than its answer. */
  covered(): Promise<void>
  close(): Promise<void>
}

const slots = 16_384
const coveredWithinMs = 60_000

/** Starts a Redis Cluster; resolves once `cluster_state:ok` on all nodes. */
export async function startRedisCluster(): Promise<RedisCluster> {
  const programs = await redisPrograms(searchOf(process.env))
  const keeper = await startKeeper()
  // A busy machine must not make the nodes believe each other dead.
  const config = { 'cluster-enabled': 'yes', 'cluster-config-file': 'nodes.conf', 'cluster-node-timeout': '5000' }
  try {
    const nodes = await Promise.all(
      [0, 1, 2].map((n) => startRedisNode({ programs, keeper, config, name: `node-${n}`, onClose: async () => {} })),
    )
    await join(nodes)
    await covered(nodes)
    const cluster: RedisCluster = {
      nodes,
      url: nodes[0]?.url ?? '',
      covered: () => covered(nodes),
      close: () => keeper.end(),
      async [Symbol.asyncDispose]() {
        await cluster.close()
      },
    }
    return cluster
  } catch (error) {
    await keeper.end()
    throw error
  }
}

async function join(nodes: readonly Engine[]): Promise<void> {
  for (const [n, { port }] of nodes.entries()) {
    const first = Math.ceil((slots * n) / nodes.length)
    const end = Math.ceil((slots * (n + 1)) / nodes.length)
    const mine = Array.from({ length: end - first }, (_, i) => first + i)
    await accepted(port, `CLUSTER ADDSLOTS ${mine.join(' ')}`)
    await accepted(port, `CLUSTER SET-CONFIG-EPOCH ${n + 1}`)
  }
  const [first, ...others] = nodes
  for (const { port } of others) await accepted(first?.port ?? 0, `CLUSTER MEET 127.0.0.1 ${port}`)
}

async function accepted(port: number, command: string): Promise<void> {
  const reply = await redisReply(port, command)
  if (!reply.startsWith('+OK')) throw new Error(`${command.slice(0, 40)} on port ${port}: ${reply || 'no answer'}`)
}

async function covered(nodes: readonly Engine[]): Promise<void> {
  const until = performance.now() + coveredWithinMs
  for (const { port } of nodes) {
    while (!isCovered(await redisReply(port, 'CLUSTER INFO'), nodes.length)) {
      if (performance.now() > until) throw new Error(`The cluster is not covered within ${coveredWithinMs} ms.`)
      await pause(10)
    }
  }
}

function isCovered(info: string, size: number): boolean {
  return info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${size}\r`) && info.includes(`cluster_size:${size}\r`)
}
