import { openSessions } from '@mcp-session/core'
import { startRedisCluster } from '@mcp-session/test-engines'
import { expect, it, onTestFinished } from 'vitest'
import { type RedisBackendOptions, redisBackend } from '../src/index.ts'
import type { Counter } from './child.ts'
import { startChild } from './child-process.ts'
import { sharedEngine } from './fixtures.ts'
import { newPrefix } from './prefixes.ts'

const engine = sharedEngine()

async function openedSessions(options: RedisBackendOptions) {
  const sessions = await openSessions<Counter>({ backend: redisBackend(options), cleanupIntervalMs: 0, callTimeoutMs: 60_000 })
  onTestFinished(() => sessions.close())
  return sessions
}

/** Started behind a barrier: all have opened before the first increments. */
async function count(options: RedisBackendOptions, processes: number, times: number): Promise<void> {
  const sessions = await openedSessions(options)
  const { id } = await sessions.create({ counter: 0 })
  const children = Array.from({ length: processes }, startChild)
  await Promise.all(children.map((child) => child.run({ do: 'open', options })))
  const answers = await Promise.all(children.map((child) => child.run({ do: 'increment', id, times })))
  expect(answers.map(({ done }) => done)).toEqual(children.map(() => times))
  expect((await sessions.retrieve(id))?.metadata).toEqual({ counter: processes * times })
  expect(await Promise.all(children.map((child) => child.end()))).toEqual(children.map(() => 0))
}

it('counts exactly: 8 processes increment one session', async () => {
  await count({ url: (await engine()).url, prefix: newPrefix() }, 8, 60)
}, 120_000)

it('counts exactly on a cluster', async () => {
  await using cluster = await startRedisCluster()
  await count({ nodes: cluster.nodes.map(({ port }) => ({ host: '127.0.0.1', port })), prefix: newPrefix() }, 4, 60)
}, 120_000)

it('brings no reply to the wrong caller while callers of two processes give up at random', async () => {
  const options = { url: (await engine()).url, prefix: newPrefix() }
  const sessions = await openedSessions(options)
  const ids = await Promise.all(Array.from({ length: 50 }, async (_, counter) => (await sessions.create({ counter })).id))
  const children = [startChild(), startChild()]
  await Promise.all(children.map((child) => child.run({ do: 'open', options })))
  const answers = await Promise.all(children.map((child) => child.run({ do: 'read with aborts', ids, times: 40 })))
  for (const { answered, wrong } of answers) {
    expect(wrong).toBe(0)
    expect(answered).toBeGreaterThan(100)
  }
}, 120_000)
