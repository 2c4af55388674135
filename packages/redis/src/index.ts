export type {
  RedisAddress,
  RedisBackendOptions,
  RedisClientOptions,
  RedisClusterOptions,
  RedisSentinelOptions,
  RedisUrlOptions,
} from './options.ts'
export { redisBackend } from './redis-backend.ts'
