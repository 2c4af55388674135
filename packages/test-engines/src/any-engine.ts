import type { Engine } from './engine.ts'
import { givenEngine } from './given-engine.ts'
import { startPostgres } from './postgres.ts'
import { startRedis } from './redis.ts'

/** The Redis that `REDIS_URL` names, else one that is started. */
export async function redisEngine(): Promise<Engine> {
  const url = process.env['REDIS_URL']
  return url === undefined || url === '' ? await startRedis() : givenEngine(url, 'REDIS_URL', 6_379)
}

/** The PostgreSQL that `DATABASE_URL` names, else one that is started. */
export async function postgresEngine(): Promise<Engine> {
  const url = process.env['DATABASE_URL']
  return url === undefined || url === '' ? await startPostgres() : givenEngine(url, 'DATABASE_URL', 5_432)
}
