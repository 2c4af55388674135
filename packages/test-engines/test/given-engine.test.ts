import { Redis } from 'ioredis'
import { Client } from 'pg'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { postgresEngine, redisEngine, startPostgres, startRedis } from '../src/index.ts'

afterEach(() => {
  vi.unstubAllEnvs()
})

describe('an engine of the user', { timeout: 60_000 }, () => {
  it.each([
    ['REDIS_URL', startRedis, redisEngine],
    ['DATABASE_URL', startPostgres, postgresEngine],
  ] as const)('is the one that %s names, and is not maltreated', async (variable, start, find) => {
    await using theirs = await start()
    vi.stubEnv(variable, theirs.url)
    const engine = await find()
    expect([engine.url, engine.port, engine.owned]).toEqual([theirs.url, theirs.port, false])
    for (const method of ['pids', 'pause', 'resume', 'kill', 'start'] as const) await expect(engine[method]()).rejects.toThrow(variable)
    const pids = await theirs.pids()
    await engine.close()
    expect((await theirs.pids())[0]).toBe(pids[0])
  })

  it('has the port of its kind where the URL names none', async () => {
    vi.stubEnv('REDIS_URL', 'redis://somewhere')
    vi.stubEnv('DATABASE_URL', 'postgres://me@somewhere/db')
    expect([(await redisEngine()).port, (await postgresEngine()).port]).toEqual([6_379, 5_432])
  })

  it('is one that is started where no variable names one', async () => {
    vi.stubEnv('REDIS_URL', '')
    vi.stubEnv('DATABASE_URL', '')
    await using redis = await redisEngine()
    await using postgres = await postgresEngine()
    expect([redis.owned, postgres.owned]).toEqual([true, true])
    const one = new Redis(redis.url)
    expect(await one.ping()).toBe('PONG')
    one.disconnect()
    const two = new Client({ connectionString: postgres.url })
    await two.connect()
    expect((await two.query('select 1 as n')).rows).toEqual([{ n: 1 }])
    await two.end()
  })
})
