import type { SessionBackend } from '@mcp-session/core/backend'
import { type Engine, startRedis, startRedisCluster } from '@mcp-session/test-engines'
import { expect, it, onTestFinished, vi } from 'vitest'
import { call, opened, rawClient } from './fixtures.ts'

const patience = { timeout: 30_000, interval: 20 }

/** Publishes until it arrives: a hint may be lost. */
async function arrives(from: SessionBackend, to: SessionBackend, channel: string): Promise<void> {
  let heard = false
  const stop = await to.signals?.subscribe(channel, (message) => {
    if (message === 'hint') heard = true
  })
  await vi.waitUntil(async () => {
    await from.signals?.publish(channel, 'hint', call(undefined, 1_000)).catch(() => {})
    return heard
  }, patience)
  await stop?.()
}

async function hearsGap(backend: SessionBackend, channels: readonly string[], gap: () => Promise<void>): Promise<void> {
  const heard = new Set<string>()
  for (const channel of channels) await backend.signals?.subscribe(channel, (message) => message === undefined && heard.add(channel))
  await gap()
  await vi.waitUntil(() => heard.size === channels.length, patience)
}

it('calls every listener with undefined when the connection was cut, and hears again', async () => {
  await using engine = await startRedis()
  const backend = await opened({ url: engine.url, prefix: 'p' })
  await hearsGap(backend, ['one', 'two'], async () => {
    await rawClient(engine.url).call('CLIENT', 'KILL', 'TYPE', 'pubsub')
  })
  await arrives(backend, backend, 'one')
}, 60_000)

it('finds out by itself that the server has stopped answering, without an event', async () => {
  const engine: Engine = await startRedis()
  onTestFinished(() => engine.close())
  const backend = await opened({ url: engine.url, prefix: 'p' })
  await hearsGap(backend, ['one'], async () => {
    await engine.pause()
    // For the time of a call, in which the connection is looked at twice: once it is asked, and then it has not answered.
    await expect(backend.get('s_x', call(undefined, 2_500))).rejects.toThrow()
    await engine.resume()
  })
}, 60_000)

it('leaves no subscription on the server when the last listener has gone', async () => {
  await using engine = await startRedis()
  const backend = await opened({ url: engine.url, prefix: 'p' })
  const stops = [await backend.signals?.subscribe('channel', () => {}), await backend.signals?.subscribe('channel', () => {})]
  const client = rawClient(engine.url)
  expect(await client.pubsub('NUMSUB', 'p:{channel}:signal')).toEqual(['p:{channel}:signal', 1])
  for (const stop of stops) await stop?.()
  await vi.waitUntil(async () => Number((await client.pubsub('NUMSUB', 'p:{channel}:signal'))[1]) === 0, patience)
})

it('publishes on a cluster only where the channel is heard, and goes on after a master was restarted', async () => {
  await using cluster = await startRedisCluster()
  const nodes = cluster.nodes.map(({ port }) => ({ host: '127.0.0.1', port }))
  const [one, two] = [await opened({ nodes, prefix: 'p' }), await opened({ nodes, prefix: 'p' })]
  const channels = ['a', 'b', 'c', 'd', 'e', 'f']
  for (const channel of channels) await arrives(one, two, channel)
  const stops = await Promise.all(channels.map((channel) => two.signals?.subscribe(channel, () => {})))
  const listening = await Promise.all(
    cluster.nodes.map(async ({ url }) => rawClient(url).call('PUBSUB', 'SHARDCHANNELS') as Promise<string[]>),
  )
  expect(listening.flat().sort()).toEqual(channels.map((channel) => `p:{${channel}}:signal`))
  expect(listening.filter((names) => names.length > 0).length).toBeGreaterThan(1)
  for (const stop of stops) await stop?.()
  await hearsGap(two, channels, async () => {
    for (const node of cluster.nodes) {
      await node.kill()
      await node.start()
    }
    await cluster.covered()
  })
  for (const channel of channels) await arrives(one, two, channel)
}, 120_000)
