import type { Contestant } from '../contestant.ts'

const besideRedis = { family: 'redis', beside: 'redis', engine: 'redis' } as const

/** The engine of a run writes nothing to disk: what is acknowledged lives as long as the server does. */
export const redisContestants: readonly Contestant[] = [
  {
    name: 'redis',
    family: 'redis',
    engine: 'redis',
    note: 'survives the process; atomic update',
    async open({ url, namespace }) {
      const [{ redisBackend }, { ourStore }, { removeKeys }] = await Promise.all([
        import('@mcp-session/redis'),
        import('../stores/our-store.ts'),
        import('../stores/redis-stores.ts'),
      ])
      return ourStore(redisBackend({ url, prefix: namespace }), () => removeKeys(url, namespace))
    },
  },
  {
    ...besideRedis,
    name: 'ioredis',
    note: 'survives the process; GET and SET PX; update is get + set',
    async open({ url, namespace }) {
      const { ioredisStore } = await import('../stores/redis-stores.ts')
      return ioredisStore(url, namespace)
    },
  },
  {
    ...besideRedis,
    name: 'redis-benchmark',
    note: 'floor: a client in C, one command per call',
    ops: ['retrieve', 'create'],
    async measure(place, cell, seconds) {
      const { redisBenchmark } = await import('../stores/redis-benchmark.ts')
      return redisBenchmark(place, cell, seconds)
    },
  },
  {
    ...besideRedis,
    name: 'connect-redis',
    note: 'survives the process; of express-session, on node-redis; update is get + set',
    async open({ url, namespace }) {
      const { connectRedisStore } = await import('../stores/redis-stores.ts')
      return connectRedisStore(url, namespace)
    },
  },
  {
    ...besideRedis,
    name: '@keyv/redis',
    note: 'survives the process; on node-redis; update is get + set',
    async open({ url, namespace }) {
      const { keyvOnRedis } = await import('../stores/keyv-store.ts')
      return keyvOnRedis(url, namespace)
    },
  },
  {
    ...besideRedis,
    name: 'unstorage redis',
    note: 'survives the process; on ioredis; update is get + set',
    async open({ url, namespace }) {
      const { unstorageRedisStore } = await import('../stores/redis-stores.ts')
      return unstorageRedisStore(url, namespace)
    },
  },
]
