export { postgresEngine, redisEngine } from './any-engine.ts'
export type { Engine } from './engine.ts'
export { type PostgresOptions, startPostgres } from './postgres.ts'
export { type RedisOptions, startRedis } from './redis.ts'
