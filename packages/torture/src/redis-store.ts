import { type Engine, startFaultRelay, startRedis, startRedisCluster } from '@mcp-session/test-engines'
import { Redis } from 'ioredis'
import type { RunningStore, StoreOptions } from './running-store.ts'
import { placeText } from './store-place.ts'
import { together } from './together.ts'

export const redisPrefix = 'torture'

/** Without a sync of the disk everything is with the operating system all the same before it is acknowledged. */
export function startRedisStore({ durable = true }: StoreOptions): Promise<RunningStore> {
  return together(async (own) => {
    const engine = own(await startRedis(durable ? {} : { config: { appendfsync: 'no' } }))
    const relay = own(await startFaultRelay({ target: engine.port }))
    return {
      place: placeText({ backend: 'redis', url: `redis://127.0.0.1:${relay.port}`, name: redisPrefix }),
      engines: [engine],
      relays: [relay],
      survivesCrash: true,
      async settled() {},
      leftovers: () => leftoversOf([engine]),
    }
  })
}

/** Without a relay: the nodes tell clients their own addresses. */
export async function startRedisClusterStore(): Promise<RunningStore> {
  const cluster = await startRedisCluster()
  const nodes = cluster.nodes.map(({ port }) => ({ host: '127.0.0.1', port }))
  return {
    place: placeText({ backend: 'redis-cluster', nodes, name: redisPrefix }),
    engines: cluster.nodes,
    relays: [],
    survivesCrash: true,
    settled: cluster.covered,
    async disconnect() {
      for (const engine of cluster.nodes) await withRedis(engine, (client) => client.call('CLIENT', 'KILL', 'TYPE', 'normal'))
    },
    leftovers: () => leftoversOf(cluster.nodes),
    [Symbol.asyncDispose]: cluster.close,
  }
}

/** Runs with a client of the harness's own, straight to the engine. */
async function withRedis<T>({ port }: Engine, use: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis({ host: '127.0.0.1', port, lazyConnect: true })
  client.on('error', () => {})
  try {
    await client.connect()
    return await use(client)
  } finally {
    client.disconnect()
  }
}

/** Keys of records and their events. The indexes by owner and by expiry may name what is gone. */
async function leftoversOf(engines: readonly Engine[]): Promise<readonly string[]> {
  const found: string[] = []
  for (const engine of engines) {
    await withRedis(engine, async (client) => {
      let cursor = '0'
      do {
        const [next, keys] = await client.scan(cursor, 'MATCH', `${redisPrefix}:*`, 'COUNT', 1_000)
        found.push(...keys.filter((key) => !/:(owner|owner-until|due)$/.test(key)).map((key) => `the key ${key}`))
        cursor = next
      } while (cursor !== '0')
    })
  }
  return found
}
