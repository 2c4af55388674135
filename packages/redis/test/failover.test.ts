import { startRedisReplicas, startRedisSentinel } from '@mcp-session/test-engines'
import { expect, it, onTestFinished } from 'vitest'
import { call, newRecord, opened, rawClient, stored, successor } from './fixtures.ts'

it('loses with a failover what no replica had, and nothing that minReplicas has waited for', async () => {
  await using group = await startRedisReplicas()
  await untilAppendOnly(group.replica.url)
  const careful = await opened({ url: group.primary.url, prefix: 'p', minReplicas: 1, minReplicasWaitMs: 10_000 })
  const plain = await opened({ url: group.primary.url, prefix: 'p' })
  const kept = await Promise.all(Array.from({ length: 20 }, () => stored(careful)))
  const changed = await Promise.all(
    kept.map(async (record) => {
      const next = successor(record)
      expect(await careful.replace(next, record.rev, call())).toEqual({ replaced: true })
      return next
    }),
  )
  await group.replica.pause()
  const unreplicated = await stored(plain)
  const error: unknown = await opened({ url: group.primary.url, prefix: 'p', minReplicas: 1, minReplicasWaitMs: 50 })
    .then((short) => short.create(newRecord(), call()))
    .catch((reason: unknown) => reason)
  expect(plain.classify(error)).toEqual({ code: 'MCP_SESSION_UNAVAILABLE', retryable: true, outcome: 'unknown' })
  await group.primary.kill()
  // What waits in the socket of the replica goes with it.
  await group.replica.kill()
  await group.replica.start()
  await group.promote()
  const after = await opened({ url: group.replica.url, prefix: 'p' })
  for (const record of changed) expect(await after.get(record.id, call())).toEqual(record)
  expect(await after.get(unreplicated.id, call())).toBeUndefined()
}, 60_000)

it('takes no write on a replica, and says so in its health', async () => {
  await using group = await startRedisReplicas()
  const backend = await opened({ url: group.replica.url, prefix: 'p' })
  const error: unknown = await backend.create(newRecord(), call()).catch((reason: unknown) => reason)
  expect(backend.classify(error)).toEqual({ code: 'MCP_SESSION_UNAVAILABLE', retryable: true, outcome: 'none' })
  const { warnings } = await backend.health(call())
  expect(warnings.map(({ code }) => code)).toContain('redis-is-replica')
}, 60_000)

it('follows Sentinel to the new primary by itself', async () => {
  await using group = await startRedisSentinel()
  const { sentinels, name } = group
  const backend = await opened({ sentinels, name, prefix: 'p', minReplicas: 1, minReplicasWaitMs: 10_000 })
  const plain = await opened({ sentinels, name, prefix: 'p' })
  const record = await stored(backend)
  const client = rawClient(group.primary.url)
  expect(await client.role()).toContain('master')
  await group.primary.kill()
  let created = false
  while (!created) created = await plain.create(newRecord(), call(undefined, 500)).catch(() => false)
  expect(await plain.get(record.id, call())).toEqual(record)
  onTestFinished(() => client.disconnect())
}, 90_000)

/** After its first copy a replica writes a whole new append-only file, and until that is done it would start again with nothing. */
async function untilAppendOnly(url: string): Promise<void> {
  const client = rawClient(url)
  onTestFinished(() => client.disconnect())
  for (;;) {
    const info = await client.info('persistence')
    if (/aof_enabled:1\r?\naof_rewrite_in_progress:0\r?\naof_rewrite_scheduled:0/.test(info)) return
  }
}
