import { startRedis, startRedisCluster } from '@mcp-session/test-engines'
import { expect, it, onTestFinished } from 'vitest'
import { redisBackend } from '../src/index.ts'
import { call, opened, rawClient, stored } from './fixtures.ts'

async function healthOf(config: Readonly<Record<string, string>>) {
  const engine = await startRedis({ config })
  onTestFinished(() => engine.close())
  const backend = await opened({ url: engine.url, prefix: 'p' })
  const { warnings, engineNow } = await backend.health(call())
  return { backend, url: engine.url, engineNow, durability: backend.info.durability, codes: warnings.map(({ code }) => code) }
}

it('says what an acknowledged write survives, by the settings of the server', async () => {
  expect((await healthOf({ appendonly: 'yes', appendfsync: 'always' })).durability).toBe('host')
  expect((await healthOf({ appendonly: 'yes', appendfsync: 'always', 'no-appendfsync-on-rewrite': 'yes' })).durability).toBe('engine')
  expect((await healthOf({ appendonly: 'yes', appendfsync: 'no' })).durability).toBe('engine')
  expect((await healthOf({ appendonly: 'yes', appendfsync: 'everysec' })).durability).toBe('caller')
  expect((await healthOf({ appendonly: 'no' })).durability).toBe('caller')
}, 30_000)

it('warns of what loses sessions', async () => {
  expect((await healthOf({})).codes).toEqual([])
  const evicting = await healthOf({ appendonly: 'no', maxmemory: '3mb', 'maxmemory-policy': 'allkeys-lru' })
  expect(evicting.codes).toEqual(['redis-evicts', 'redis-not-logged'])
  for (let n = 0; n < 40; n += 1) await stored(evicting.backend, { data: 'x'.repeat(200_000) })
  expect((await evicting.backend.health(call())).warnings.map(({ code }) => code)).toContain('redis-has-evicted')
})

it('gives the clock of the server', async () => {
  const { engineNow, url } = await healthOf({})
  const [seconds] = await rawClient(url).time()
  expect(Math.abs(Number(seconds) * 1_000 - (engineNow ?? 0))).toBeLessThan(60_000)
})

it('promises less where it may not read the settings, and works', async () => {
  const engine = await startRedis()
  onTestFinished(() => engine.close())
  await rawClient(engine.url).acl('SETUSER', 'default', '-config')
  const backend = await opened({ url: engine.url, prefix: 'p' })
  expect(backend.info.durability).toBe('caller')
  expect((await backend.health(call())).warnings).toEqual([])
  await stored(backend)
})

it('refuses a node of a cluster as a server of its own, with what to do', async () => {
  await using cluster = await startRedisCluster()
  const backend = redisBackend({ url: cluster.url, prefix: 'p' })
  await expect(backend.open()).rejects.toMatchObject({ code: 'MCP_SESSION_UNAVAILABLE', message: expect.stringContaining('nodes') })
}, 30_000)
