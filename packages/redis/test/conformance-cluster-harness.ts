import type { Harness } from '@mcp-session/conformance'
import { type RedisCluster, startRedisCluster } from '@mcp-session/test-engines'
import { Cluster, Redis } from 'ioredis'
import { redisBackend } from '../src/index.ts'
import { driverErrors } from './conformance-errors.ts'
import { newPrefix, removePrefix } from './prefixes.ts'

let cluster: Promise<RedisCluster> | undefined

function started(): Promise<RedisCluster> {
  cluster ??= startRedisCluster()
  return cluster
}

export async function end(): Promise<void> {
  await (await cluster)?.close()
}

/** A store's place: its prefix, and the ports of the nodes. */
export const harness: Harness = {
  async open() {
    const { nodes } = await started()
    const place = [newPrefix(), ...nodes.map(({ port }) => port)].join(' ')
    return { place, backend: reopen(place) }
  },
  reopen,
  async remove(place) {
    const { prefix, nodes } = partsOf(place)
    const clients = nodes.map(({ port }) => new Redis(port))
    await removePrefix(clients, prefix)
    for (const client of clients) client.disconnect()
  },
  secondProcess: import.meta.url,
  async crash() {
    const { nodes, covered } = await started()
    await Promise.all(nodes.map((node) => node.kill()))
    await Promise.all(nodes.map((node) => node.start()))
    await covered()
  },
  async borrow() {
    const { nodes } = await started()
    const client = new Cluster(nodes.map(({ port }) => ({ host: '127.0.0.1', port })))
    const prefix = newPrefix()
    return {
      backend: redisBackend({ client, prefix }),
      use: () => client.get('s'),
      emitter: client,
      async close() {
        await removePrefix(client.nodes('master'), prefix)
        client.disconnect()
      },
    }
  },
  errors: driverErrors,
}

function reopen(place: string) {
  return redisBackend(partsOf(place))
}

function partsOf(place: string) {
  const [prefix = '', ...ports] = place.split(' ')
  return { prefix, nodes: ports.map((port) => ({ host: '127.0.0.1', port: Number(port) })) }
}
